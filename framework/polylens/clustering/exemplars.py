"""Exact medoids of clusters, in bounded memory."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from polylens.clustering.checks import check_metric, check_rows
from polylens.clustering.points import Metric, Points
from polylens.clustering.rows_as_numbers import RowValues
from polylens.clustering.summed_distances import summed_distances
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.records import count_clusters

_ROUNDING = 1e-12
"""Share of a summed distance that adding up in another order may change."""
_NOTHING = 1e-20
"""Distance to one other row that is rounding alone."""


def medoids(
    points: Points | RowValues,
    *,
    labels: Int64[np.ndarray, "rows"],
    metric: Metric,
    progress: Progress | None = None,
) -> Int64[np.ndarray, "clusters"]:
    """The row of each cluster with the least summed distance to its other members; the first of equals.

    Equal up to rounding is equal. Takes time that grows with the members under `hamming`, `cosine` and `l1`,
    with their pairs under `jaccard`. Under `euclidean` it grows with the members and the square of their
    width, and with the pairs of those that a bound does not rule out: few, but in one or two dimensions.

    Args:
        points: what was clustered; of packed bits, zeros that fill bytes up change nothing.
        labels: -1 for noise.
        metric: one that fits the points.
        progress: where the work shows itself.

    Raises:
        DataError: there is not one label a row, or the metric does not fit the points.

    >>> medoids(np.array([[0], [1], [5]], dtype=np.float32), labels=np.zeros(3, np.int64), metric="euclidean")
    array([1])
    """
    stored = points.points if isinstance(points, RowValues) else points
    check_rows(stored)
    check_metric(stored, metric)
    if len(labels) != len(points):
        raise DataError(f"{len(labels)} labels are not one for each of {len(points)} rows")
    n_clusters = count_clusters(labels)
    chosen = np.zeros(n_clusters, dtype=np.int64)
    by_cluster = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[by_cluster], np.arange(n_clusters + 1))
    with (progress or Silent()).task("medoids", total=int((labels >= 0).sum()), unit="rows") as task:
        for cluster in range(n_clusters):
            members = by_cluster[starts[cluster] : starts[cluster + 1]]
            summed = summed_distances(points, members, metric)
            least = summed.min() * (1 + _ROUNDING) + len(members) * _NOTHING
            chosen[cluster] = members[np.argmax(summed <= least)]
            task.advance(len(members))
    return chosen
