"""Clusters around centres: every row belongs to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from jaxtyping import Float, Float32, Int64

from polylens.clustering.checks import check_points, check_whole, check_word
from polylens.clustering.exemplars import medoids
from polylens.clustering.points import Points
from polylens.clustering.renumbering import by_falling_size
from polylens.devices import fitting_device
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.records import Partition
from polylens.streams import Streams

if TYPE_CHECKING:
    from sklearn.cluster import BisectingKMeans

Split = Literal["largest_cluster", "biggest_inertia"]


def kmeans(
    points: Points,
    *,
    clusters: int,
    streams: Streams,
    restarts: int = 10,
    exemplars: bool = True,
    device: str | None = None,
    progress: Progress | None = None,
) -> Partition:
    """The k-means clusters of points: the best of `restarts` starts by k-means++.

    The bits of codes are taken as -1 and +1: squared distance is then four times the Hamming distance. A
    row's strength is 1 - (distance to its own centre / distance to the next centre), in [0, 1].

    Starts are drawn among all rows, or where rows times clusters are above 1.5 million among as many as keep
    that number (16 a cluster at least), others for each start. The rounds that follow are of all rows. Labels
    are the same on any number of cores. Memory: the points, and four bytes for each row and cluster.

    Args:
        points: activations or bits, not packed.
        clusters: how many, 1 or more.
        streams: the randomness of the starts.
        restarts: independent starts.
        exemplars: whether the clusters' medoids are found, which costs as much as all their pairs; else there
            are none.
        device: `cpu` or a torch device; where None, a GPU that there is takes many rows.
        progress: where the work shows itself.

    Raises:
        DataError: fewer distinct rows than clusters, a single row, no columns, NaN or infinity, packed bits,
            a number of clusters or starts that makes none, or a device that is not there.

    Source: Arthur and Vassilvitskii (2007) for the start, Lloyd (1982) for the rounds, Elkan (2003) for the
    bounds.
    """
    _check(points, clusters, restarts)
    from polylens.clustering.moving_centres import cluster_by_means

    labels, own, following = cluster_by_means(
        _values(points),
        clusters=clusters,
        streams=streams,
        restarts=restarts,
        device=device or fitting_device(len(points)),
        progress=progress or Silent(),
    )
    labels, strength = by_falling_size(labels), _strength(own, following)
    method = f"k-means ({clusters} clusters, best of {restarts} starts)"
    return _partition(points, labels, strength, method=method, exemplars=exemplars)


def bisecting_kmeans(
    points: Points,
    *,
    clusters: int,
    streams: Streams,
    split: Split = "largest_cluster",
    restarts: int = 10,
    exemplars: bool = True,
    progress: Progress | None = None,
) -> Partition:
    """The clusters of points that one cluster of everything falls into when one is split in two, and again.

    Each split is by 2-means, the best of `restarts` starts. Rows stay in the part that they fell into, though
    the centre of another may come to lie nearer: the strength of such a row is 0. Bits, strengths and threads
    as `kmeans` has them.

    Args:
        points: activations or bits, not packed.
        clusters: how many, 1 or more.
        streams: the randomness of the starts.
        split: the cluster that is split next: the one with the most rows, or the one with the greatest summed
            squared distance to its centre.
        restarts: independent starts of each split.
        exemplars: whether the clusters' medoids are found, which costs as much as all their pairs; else there
            are none.
        progress: where the work shows itself.

    Raises:
        DataError: fewer distinct rows than clusters, a single row, no columns, NaN or infinity, packed bits,
            a number of clusters or starts that makes none, no such split, or a cluster with the most rows
            that cannot be split, as its rows are all equal.

    Source: Steinbach, Karypis, Kumar (2000); scikit-learn's BisectingKMeans.
    """
    check_word("split", split, get_args(Split))
    _check(points, clusters, restarts)
    from sklearn.cluster import BisectingKMeans

    model = BisectingKMeans(
        n_clusters=clusters,
        n_init=restarts,
        bisecting_strategy=split,
        random_state=_seed(streams),
        copy_x=not _is_bits(points),
    )
    labels, strength = _fit(model, points, progress or Silent())
    made = int(labels.max()) + 1
    if made < clusters:
        raise DataError(
            f"{clusters} clusters cannot be made: after {made}, the rows of the one to split are all equal",
            hint="use 'split: biggest_inertia', or ask for fewer clusters",
        )
    first = split.replace("_", " ")
    method = f"bisecting k-means ({clusters} clusters, {first} first, best of {restarts} starts)"
    return _partition(points, labels, strength, method=method, exemplars=exemplars)


def _check(points: Points, clusters: int, restarts: int) -> None:
    check_whole("clusters", clusters, least=1, because="every row belongs to one")
    check_whole("restarts", restarts, least=1, because="centres start somewhere")
    if points.dtype == np.uint8:
        raise DataError(
            "packed bits have no means: centres need one column a bit",
            hint="use polylens.bits.unpack, or np.unpackbits(rows, axis=1).astype(bool)",
        )
    check_points(points, at_least=clusters, because=f"{clusters} clusters are asked for")
    distinct = _distinct(points, enough=clusters)
    if distinct < clusters:
        raise DataError(
            f"{distinct} distinct rows cannot make {clusters} clusters", hint="ask for fewer clusters"
        )


def _distinct(points: Points, *, enough: int) -> int:
    """How many rows are distinct, looked at no further than until there are `enough`."""
    looked, distinct = 4 * enough, 0
    while distinct < enough:
        distinct = len(np.unique(points[:looked], axis=0))
        if looked >= len(points):
            break
        looked *= 4
    return distinct


def _is_bits(points: Points) -> bool:
    return bool(points.dtype == np.bool_)


def _seed(streams: Streams) -> int:
    return int(streams.generator("starts").integers(2**31))


def _values(points: Points) -> Float32[np.ndarray, "rows width"]:
    return np.where(points, np.float32(1), np.float32(-1)) if _is_bits(points) else points


def _fit(
    model: BisectingKMeans, points: Points, progress: Progress
) -> tuple[Int64[np.ndarray, "rows"], Float32[np.ndarray, "rows"]]:
    """Labels by falling size, and strengths."""
    from threadpoolctl import threadpool_limits

    # Bits' values are nobody else's: the model may centre them in place (`copy_x`), a third less of memory.
    values = _values(points)
    title = progress.task("clustering", total=len(points), unit="rows")
    with title as task, threadpool_limits(limits=1):
        fitted = model.fit(values)
        distances = np.asarray(fitted.transform(values), dtype=np.float32)
        task.advance(len(points))
    each = np.arange(len(distances))
    own = distances[each, fitted.labels_]
    distances[each, fitted.labels_] = np.inf
    return by_falling_size(fitted.labels_), _strength(own, distances.min(1))


def _strength(
    own: Float[np.ndarray, "rows"], following: Float[np.ndarray, "rows"]
) -> Float32[np.ndarray, "rows"]:
    """1 - (distance to the own centre / distance to the next one), by rows; 1 where there is no other."""
    ratio = np.divide(own, following, out=np.ones_like(own), where=following > 0)
    return np.asarray(np.maximum(1 - ratio, 0), dtype=np.float32)


def _partition(
    points: Points,
    labels: Int64[np.ndarray, "rows"],
    strength: Float32[np.ndarray, "rows"],
    *,
    method: str,
    exemplars: bool,
) -> Partition:
    bits = _is_bits(points)
    return Partition(
        labels=labels,
        strength=strength,
        exemplars=medoids(points, labels=labels, metric="hamming" if bits else "euclidean")
        if exemplars
        else np.empty(0, np.int64),
        method=method,
        space="code" if bits else "activation",
    )
