"""Clusters as regions of high density, and noise between them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from polylens.clustering.checks import check_points
from polylens.clustering.exemplars import medoids
from polylens.clustering.points import Metric, Points, unit_length
from polylens.clustering.renumbering import by_falling_size
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.records import Partition


def hdbscan(
    points: Points,
    *,
    metric: Metric,
    min_cluster_size: int = 5,
    min_samples: int | None = None,
    selection: Literal["eom", "leaf"] = "eom",
    exemplars: bool = True,
    progress: Progress | None = None,
) -> Partition:
    """The HDBSCAN* clusters of points; rows in no cluster are noise (-1).

    Rows that are all equal, or that show one cluster only, are all noise: one cluster of everything is
    no finding.

    Args:
        points: activations (`euclidean`, or `cosine`: the points are brought to unit length and compared by
            Euclidean distance, which orders pairs alike), or bits (`hamming`, `jaccard`).
        metric: how rows are compared.
        min_cluster_size: fewest rows of a cluster, 2 or more.
        min_samples: neighbours that make a core point, the point itself counted; `min_cluster_size`
            where None.
        selection: `eom` (the most persistent clusters) or `leaf` (the finest).
        exemplars: whether the clusters' medoids are found, which costs as much as all their pairs; else there
            are none.
        progress: where the work shows itself.

    Raises:
        DataError: fewer rows than `min_samples`, a single row, no columns, NaN or infinity.

    Source: Campello, Moulavi, Sander (2013); Campello, Moulavi, Zimek, Sander (2015).
    Departs: scikit-learn's ball tree stands behind this door. Hamming distances tie massively, and its other
        algorithms break ties by row order in a way that changes the clusters; this one nearly does not.
        Its tree of merges is not public, so `merges` is None.
    """
    neighbours = min_cluster_size if min_samples is None else min_samples
    check_points(points, at_least=neighbours, because=f"min_samples is {neighbours}")
    if (points.dtype == np.bool_) != (metric in ("hamming", "jaccard")):
        raise DataError(
            f"metric '{metric}' does not fit {'bits' if points.dtype == np.bool_ else 'activations'}"
        )

    from sklearn.cluster import HDBSCAN

    placed = unit_length(points) if metric == "cosine" else points
    measure: Literal["euclidean", "hamming", "jaccard"] = "euclidean" if metric == "cosine" else metric
    with (progress or Silent()).task("clustering", total=len(points), unit="rows") as task:
        fitted = HDBSCAN(
            metric=measure,
            algorithm="ball_tree",
            min_cluster_size=min_cluster_size,
            min_samples=neighbours,
            cluster_selection_method=selection,
            copy=True,
        ).fit(placed)
        task.advance(len(points))
    labels = by_falling_size(fitted.labels_)
    sizes = f"min_cluster_size {min_cluster_size}, min_samples {neighbours}"
    return Partition(
        labels=labels,
        strength=np.clip(fitted.probabilities_, 0.0, 1.0).astype(np.float32),
        exemplars=medoids(placed, labels=labels, metric=measure) if exemplars else np.empty(0, np.int64),
        method=f"HDBSCAN ({metric}, {sizes}, {selection})",
        space="code" if points.dtype == np.bool_ else "activation",
    )
