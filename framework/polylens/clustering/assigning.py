"""Clusters for rows that were not clustered, and an approximation made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from polylens.clustering.blocks import one_thread_a_product, side_by_side
from polylens.clustering.checks import check_bits, check_finite, check_metric, check_rows
from polylens.clustering.dense_space import DenseMetric, centre_of, lengths, lower_bounds, prepare
from polylens.clustering.points import Points
from polylens.clustering.processes import Processes
from polylens.clustering.renumbering import by_falling_size
from polylens.errors import DataError
from polylens.kernels.tiles import BitRows, Clustered, Joins, Measure, Neighbours, Tile, no_activations
from polylens.progress import Progress, Silent
from polylens.records import NOISE, Hierarchy, Partition

NewPoints = (
    Float32[np.ndarray, "new columns"] | Bool[np.ndarray, "new columns"] | UInt8[np.ndarray, "new columns"]
)
"""Rows that were not clustered."""

_LAST = np.iinfo(np.int64).max
_COPIED_BYTES = 1 << 30
"""Of rows that are assigned, held at once beside those of the sample."""
_ROWS, _NEW_ROWS = 2048, 512
"""Rows on either side of one product."""


@dataclass(frozen=True)
class Assignment:
    """The cluster that each new row belongs to."""

    labels: Int64[np.ndarray, "new"]
    strength: Float32[np.ndarray, "new"]


def assign_rows(
    new: NewPoints,
    *,
    among: Points,
    partition: Partition,
    progress: Progress | None = None,
) -> Assignment:
    """The clusters that new rows would join, the clusters staying what they are.

    A new row would first join the rows from which its mutual reachability is least. It belongs to their
    cluster where that height is below the one at which the cluster joins others, and is noise elsewhere. Of
    several rows that are equally near, one of the largest cluster counts. The rows that were clustered keep
    their core distances; those of new rows are taken to them.

    Args:
        new: rows of the same kind and width as `among`.
        among: the rows that were clustered.
        partition: what `hdbscan` gave for them.
        progress: where the work shows itself.

    Raises:
        DataError: the partition has no hierarchy or is of other rows, or the new rows do not fit the old.

    Source: McInnes, Healy, Astels, hdbscan's `approximate_predict` (2017).
    Departs: there, ties fall to the row that happens to come first.
    """
    of, lifetimes = partition.hierarchy, partition.lifetimes
    if of is None or lifetimes is None:
        raise DataError(f"a partition by {partition.method} has no heights to assign new rows by")
    for rows in (new, among):
        check_rows(rows)
    if len(of.core) != len(among):
        raise DataError(f"the partition is of {len(of.core)} rows, not of {len(among)}")
    if new.dtype != among.dtype or new.shape[1] != among.shape[1]:
        widths = f"{new.shape[1]} {new.dtype} against {among.shape[1]} {among.dtype}"
        raise DataError(f"new rows do not fit those that were clustered: {widths}")
    check_metric(among, of.metric)
    for rows in (new, among):
        if rows.dtype == np.uint8 and of.bits is not None:
            check_bits(rows, of.bits)
        check_finite(rows)
    with one_thread_a_product(among):
        found = _join_rows(new, among, partition, of, progress or Silent())

    core = found.near[:, -1] if of.min_samples > 1 else np.zeros(len(new))
    height = np.maximum(core, found.reach)
    clustered = found.best < partition.n_clusters
    label = np.where(clustered, found.best, 0)
    born, ends = lifetimes[label].T if partition.n_clusters else np.zeros((2, len(new)))
    inside = clustered & (height < born)
    strength = np.divide(ends, height, out=np.ones(len(new)), where=height > ends)
    return Assignment(np.where(inside, label, NOISE), np.where(inside, strength, 0.0).astype(np.float32))


def hdbscan_of_sample(
    points: Points,
    *,
    sample: Int64[np.ndarray, "chosen"],
    of_sample: Partition,
    progress: Progress | None = None,
) -> Partition:
    """Clusters of many rows from the exact clusters of a sample of them: an approximation.

    Every row outside of the sample is assigned to the sample's clusters. What only shows in more rows than
    the sample has (small clusters above all) is not found, and `min_cluster_size` counts rows of the sample.

    Args:
        points: all rows.
        sample: the rows that were clustered.
        of_sample: what `hdbscan` gave for `points[sample]`.
        progress: where the work shows itself.

    Raises:
        DataError: the partition has no hierarchy or is not of the sample, or rows cannot be compared.
    """
    if len(sample) != len(of_sample.labels) or len(np.unique(sample)) != len(sample):
        raise DataError(
            f"a sample of {len(sample)} rows does not fit a partition of {len(of_sample.labels)}",
            hint="give the number of every row that was clustered, once, in the order it was clustered in",
        )
    rest = np.setdiff1d(np.arange(len(points)), sample)
    labels = np.full(len(points), NOISE, dtype=np.int64)
    strength = np.zeros(len(points), dtype=np.float32)
    labels[sample], strength[sample] = of_sample.labels, of_sample.strength
    among = points[sample]
    # Rows are copied out of the store, so many of them at a time.
    at_once = max(_COPIED_BYTES // max(points[:1].nbytes, 1), 1)
    for start in range(0, len(rest), at_once):
        some = rest[start : start + at_once]
        others = assign_rows(points[some], among=among, partition=of_sample, progress=progress)
        labels[some], strength[some] = others.labels, others.strength
    renumbered = by_falling_size(labels)
    old = np.empty(of_sample.n_clusters, dtype=np.int64)
    old[renumbered[labels >= 0]] = labels[labels >= 0]
    share = f"a sample of {len(sample):,} of {len(points):,} rows, the others assigned to its clusters"
    return replace(
        of_sample,
        labels=renumbered,
        strength=strength,
        exemplars=sample[of_sample.exemplars[old]] if len(of_sample.exemplars) else of_sample.exemplars,
        method=f"{of_sample.method} of {share}",
        persistence=None if of_sample.persistence is None else of_sample.persistence[old],
        lifetimes=None if of_sample.lifetimes is None else of_sample.lifetimes[old],
        hierarchy=None,
    )


@dataclass(frozen=True)
class _FirstJoins:
    """What is known of new rows so far."""

    near: Float64[np.ndarray, "new neighbours"]
    who: Int64[np.ndarray, "new neighbours"]
    reach: Float64[np.ndarray, "new"]
    best: Int64[np.ndarray, "new"]

    @classmethod
    def none_yet(cls, new: int, neighbours: int) -> _FirstJoins:
        return cls(
            np.full((new, neighbours), np.inf),
            np.full((new, neighbours), -1, dtype=np.int64),
            np.full(new, np.inf),
            np.full(new, _LAST),
        )

    def with_those_of(self, processes: Processes) -> _FirstJoins:
        """What all processes know, each of other rows."""
        known = np.argmin(np.stack(processes.gather(self.reach)), axis=0)
        picked = (
            np.stack(processes.gather(part))[known, np.arange(len(known))]
            for part in (self.near, self.who, self.reach, self.best)
        )
        return _FirstJoins(*picked)


def _join_rows(
    new: NewPoints,
    among: Points,
    partition: Partition,
    of: Hierarchy,
    progress: Progress,
) -> _FirstJoins:
    """Which row each new row would join first, and its nearest rows; distances in the metric's unit."""
    processes = Processes.here()
    unit = float(of.bits or 1)
    found = _FirstJoins.none_yet(len(new), max(of.min_samples - 1, 1))
    # Among equally near rows the lowest label counts, and noise last.
    rank = np.where(partition.labels >= 0, partition.labels, _LAST)
    clustered = Clustered(of.core, rank, unit if of.metric == "hamming" else 1.0)
    joins = Joins(Neighbours(found.near, found.who), found.reach, found.best)
    if of.metric in ("hamming", "jaccard"):
        size, join = _prepare_bits(new, among, of.metric, clustered, joins)
    else:
        size, join = _prepare_numbers(new, among, cast(DenseMetric, of.metric), clustered, joins)
    side_by_side(
        [range(0, len(new), size)[processes.rank :: processes.count]],
        join,
        amount=lambda start: min(size, len(new) - start) * len(among) * processes.count,
        title="assigning rows",
        total=len(new) * len(among),
        progress=progress,
    )
    found = found.with_those_of(processes)
    near = np.sqrt(found.near) if of.metric == "euclidean" else found.near / unit
    return replace(found, near=near)


def _prepare_bits(
    new: NewPoints, among: Points, metric: str, clustered: Clustered, joins: Joins
) -> tuple[int, Callable[[int, int], None]]:
    from polylens.clustering.bit_space import ones_of, tile_rows
    from polylens.kernels.distances import EXACT
    from polylens.kernels.joining import join_bits
    from polylens.kernels.popcount import TILE

    words = [tile_rows(points) for points in (new, among)]
    left, right = (
        BitRows(tiles, ones_of(tiles), len(points)) for tiles, points in zip(words, (new, among), strict=True)
    )
    exact, jaccard = no_activations(EXACT), metric == "jaccard"

    def join(start: int, _: int) -> None:
        join_bits(left, right, start // TILE, jaccard, exact, clustered, joins)

    return TILE, join


def _prepare_numbers(
    new: NewPoints, among: Points, metric: DenseMetric, clustered: Clustered, joins: Joins
) -> tuple[int, Callable[[int, int], None]]:
    from polylens.kernels.distances import KINDS
    from polylens.kernels.joining import join_tile

    centre = centre_of(among)
    own, other = lengths(new), lengths(among)
    measuring = Measure(KINDS[metric], new, own, among, other)

    def join(start: int, _: int) -> None:
        some = slice(start, min(start + _NEW_ROWS, len(new)))
        left = prepare(new[some], own[some], metric=metric, centre=centre)
        for first in range(0, len(among), _ROWS):
            rows = slice(first, min(first + _ROWS, len(among)))
            right = prepare(among[rows], other[rows], metric=metric, centre=centre)
            bounds = lower_bounds(left, right, metric=metric)
            join_tile(Tile(bounds, some.start, rows.start, *bounds.shape), measuring, clustered, joins)

    return _NEW_ROWS, join
