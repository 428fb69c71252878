"""Clusters around centres: every row belongs to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
from jaxtyping import Float32, Float64

from polylens.clustering.checks import check_pieces_finite, check_rows, check_size, check_whole, check_word
from polylens.clustering.exemplars import medoids
from polylens.clustering.points import Metric, Points
from polylens.clustering.renumbering import by_falling_size
from polylens.clustering.rows_as_numbers import RowValues
from polylens.clustering.splitting import Split, split_by_means
from polylens.cores import one_thread
from polylens.devices import fitting_device
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.records import Partition
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.clustering.moving_centres import Settled


def kmeans(
    points: Points | RowValues,
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
    are the same on any number of cores, and those of bits the same however they are given. Memory: the points
    and an eighth of those that are bits and not packed; four bytes for each row and cluster; 128 MB for the
    rows of starts, or 16 rows a cluster as numbers where that is more; some 30 MB a thread.

    Args:
        points: activations or bits, not packed; or such rows as `RowValues`, packed and to scale.
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
    rows = _checked(points, clusters, restarts)
    from polylens.clustering.moving_centres import cluster_by_means, nearest_for

    with one_thread():
        origin = rows.mean()
        nearest = nearest_for(rows, origin=origin, device=device or fitting_device(len(rows)))
        found = cluster_by_means(
            rows,
            nearest=nearest,
            origin=origin,
            clusters=clusters,
            streams=streams,
            restarts=restarts,
            progress=progress or Silent(),
        )
        following = nearest.next_distances(found.centres, found.labels)
    method = f"k-means ({clusters} clusters, best of {restarts} starts)"
    return _partition(rows, found, following, method=method, exemplars=exemplars, progress=progress)


def bisecting_kmeans(
    points: Points | RowValues,
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
    the centre of another may come to lie nearer: the strength of such a row is 0. Bits, strengths, threads,
    starts and memory as `kmeans` has them.

    Args:
        points: activations or bits, not packed; or such rows as `RowValues`, packed and to scale.
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

    Source: Steinbach, Karypis, Kumar (2000).
    """
    check_word("split", split, get_args(Split))
    rows = _checked(points, clusters, restarts)
    from polylens.clustering.moving_centres import nearest_for

    with one_thread():
        device = fitting_device(len(rows))
        found = split_by_means(
            rows,
            clusters=clusters,
            streams=streams,
            split=split,
            restarts=restarts,
            device=device,
            progress=progress or Silent(),
        )
        nearest = nearest_for(rows, origin=rows.mean(), device=device)
        following = nearest.next_distances(found.centres, found.labels)
    first = split.replace("_", " ")
    method = f"bisecting k-means ({clusters} clusters, {first} first, best of {restarts} starts)"
    return _partition(rows, found, following, method=method, exemplars=exemplars, progress=progress)


def _checked(points: Points | RowValues, clusters: int, restarts: int) -> RowValues:
    check_whole("clusters", clusters, least=1, because="every row belongs to one")
    check_whole("restarts", restarts, least=1, because="centres start somewhere")
    if not isinstance(points, RowValues):
        check_rows(points)
        if points.dtype == np.uint8:
            raise DataError(
                "packed bits have no means: centres need one column a bit",
                hint="say how many bits a row holds: polylens.clustering.RowValues(rows, width=...)",
            )
        points = RowValues.of(points)
    because = f"{clusters} clusters are asked for"
    check_size(len(points), points.width, at_least=clusters, because=because)
    if not points.are_bits:
        check_pieces_finite(points.values(some) for some in points.pieces())
    distinct = points.count_distinct(enough=clusters)
    if distinct < clusters:
        raise DataError(
            f"{distinct} distinct rows cannot make {clusters} clusters", hint="ask for fewer clusters"
        )
    return points


def _strength(
    own: Float64[np.ndarray, "rows"], following: Float64[np.ndarray, "rows"]
) -> Float32[np.ndarray, "rows"]:
    """1 - (distance to the own centre / distance to the next one), by rows; 1 where there is no other."""
    ratio = np.divide(own, following, out=np.ones_like(own), where=following > 0)
    return np.asarray(np.maximum(1 - ratio, 0), dtype=np.float32)


def _partition(
    rows: RowValues,
    found: Settled,
    following: Float64[np.ndarray, "rows"],
    *,
    method: str,
    exemplars: bool,
    progress: Progress | None,
) -> Partition:
    labels = by_falling_size(found.labels)
    metric: Metric = "hamming" if rows.are_bits else "euclidean"
    chosen = np.empty(0, np.int64)
    if exemplars:
        chosen = medoids(rows, labels=labels, metric=metric, progress=progress)
    return Partition(
        labels=labels,
        strength=_strength(np.sqrt(found.own), following),
        exemplars=chosen,
        method=method,
        space="code" if rows.are_bits else "activation",
    )
