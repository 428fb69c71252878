"""Clusters around centres: every row belongs to one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from polylens.clustering.checks import check_points
from polylens.clustering.exemplars import medoids
from polylens.clustering.points import Points
from polylens.clustering.renumbering import by_falling_size
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.records import Partition
from polylens.streams import Streams


def kmeans(
    points: Points,
    *,
    clusters: int,
    streams: Streams,
    restarts: int = 10,
    exemplars: bool = True,
    progress: Progress | None = None,
) -> Partition:
    """The k-means clusters of points: the best of `restarts` starts by k-means++.

    The bits of codes are taken as -1 and +1: squared distance is then four times the Hamming distance. A
    row's strength is 1 - (distance to its own centre / distance to the next centre), in [0, 1].

    Runs on one thread: more would add the same numbers in another order, and labels could differ.

    Args:
        points: activations or bits.
        clusters: how many, 1 or more.
        streams: of the starts.
        restarts: independent starts.
        exemplars: whether the clusters' medoids are found, which costs as much as all their pairs; else there
            are none.
        progress: where the work shows itself.

    Raises:
        DataError: fewer distinct rows than clusters, a single row, no columns, NaN or infinity.

    Source: Arthur and Vassilvitskii (2007) for the start; scikit-learn's Lloyd iterations.
    """
    check_points(points, at_least=clusters, because=f"{clusters} clusters are asked for")
    distinct = len(np.unique(points, axis=0))
    if distinct < clusters:
        raise DataError(
            f"{distinct} distinct rows cannot make {clusters} clusters", hint="ask for fewer clusters"
        )

    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    values = np.where(points, np.float32(1), np.float32(-1)) if points.dtype == np.bool_ else points
    seed = int(streams.generator("starts").integers(2**31))
    title = (progress or Silent()).task("clustering", total=len(points), unit="rows")
    with title as task, threadpool_limits(limits=1):
        fitted = KMeans(n_clusters=clusters, n_init=restarts, random_state=seed).fit(values)
        distances = fitted.transform(values)
        task.advance(len(points))
    labels = by_falling_size(fitted.labels_)
    return Partition(
        labels=labels,
        strength=_strength(distances),
        exemplars=medoids(
            points, labels=labels, metric="hamming" if points.dtype == np.bool_ else "euclidean"
        )
        if exemplars
        else np.empty(0, np.int64),
        method=f"k-means ({clusters} clusters, best of {restarts} starts)",
        space="code" if points.dtype == np.bool_ else "activation",
    )


def _strength(distances: Float32[np.ndarray, "rows clusters"]) -> Float32[np.ndarray, "rows"]:
    if distances.shape[1] == 1:
        return np.ones(len(distances), dtype=np.float32)
    own, other = np.partition(distances, 1, axis=1)[:, :2].T
    ratio = np.divide(own, other, out=np.ones_like(own), where=other > 0)
    return np.asarray(1 - ratio, dtype=np.float32)
