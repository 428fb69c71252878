"""The stretches of a direction that clusters lie on, and how many lie on the same one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

_LOW, _HIGH = 0.1, 0.9


def cluster_stretches(
    places: Float64[np.ndarray, "rows"], labels: Int64[np.ndarray, "rows"], *, n_clusters: int
) -> Float64[np.ndarray, "clusters 2"]:
    """Where the middle 80 % of each cluster's rows lie along one direction.

    Args:
        places: of all rows along the direction.
        labels: cluster of each row; noise has no stretch.
        n_clusters: how many clusters there are; none is empty.

    >>> cluster_stretches(np.arange(11.0), np.zeros(11, np.int64), n_clusters=1)
    array([[1., 9.]])
    """
    stretches = [np.quantile(places[labels == cluster], [_LOW, _HIGH]) for cluster in range(n_clusters)]
    return np.asarray(stretches, dtype=np.float64).reshape(n_clusters, 2)


def clusters_at(
    places: Float64[np.ndarray, "some"], stretches: Float64[np.ndarray, "clusters 2"]
) -> Int64[np.ndarray, "some"]:
    """On how many clusters' stretches each place lies.

    >>> clusters_at(np.array([0.5, 2.0, 9.0]), np.array([[0.0, 1.0], [0.0, 2.0]]))
    array([2, 1, 0])
    """
    begun = np.searchsorted(np.sort(stretches[:, 0]), places, side="right")
    ended = np.searchsorted(np.sort(stretches[:, 1]), places, side="left")
    return (begun - ended).astype(np.int64)
