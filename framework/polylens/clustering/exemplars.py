"""Exact medoids of clusters, in bounded memory."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.points import Points
from polylens.records import count_clusters

_CHUNK_DISTANCES = 4_000_000
"""Distances held at once (32 MB)."""


def medoids(
    points: Points,
    *,
    labels: Int64[np.ndarray, "rows"],
    metric: Literal["euclidean", "hamming", "jaccard"],
) -> Int64[np.ndarray, "clusters"]:
    """The row of each cluster with the least summed distance to its other members; the first of equals.

    >>> medoids(np.array([[0], [1], [5]], dtype=np.float32), labels=np.zeros(3, np.int64), metric="euclidean")
    array([1])
    """
    summed = _bits_apart if metric == "hamming" else _summed_distances
    n_clusters = count_clusters(labels)
    chosen = np.zeros(n_clusters, dtype=np.int64)
    for cluster in range(n_clusters):
        members = np.flatnonzero(labels == cluster)
        chosen[cluster] = members[summed(points[members], metric).argmin()]
    return chosen


def _bits_apart(members: Points, _: str) -> Float64[np.ndarray, "members"]:
    """Summed Hamming distance in bits: column sums say it without looking at any pair."""
    ones = members.sum(0, dtype=np.int64)
    return np.asarray(np.where(members, len(members) - ones, ones).sum(1), dtype=np.float64)


def _summed_distances(members: Points, metric: str) -> Float64[np.ndarray, "members"]:
    from scipy.spatial.distance import cdist

    values = members if metric == "jaccard" else members.astype(np.float64)
    step = max(_CHUNK_DISTANCES // len(values), 1)
    pieces = [
        cdist(values[start : start + step], values, metric).sum(1) for start in range(0, len(values), step)
    ]
    return np.concatenate(pieces)
