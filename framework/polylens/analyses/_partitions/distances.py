"""Distances of drawn pairs of rows: within clusters, between them, and of noise to clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.analyses._partitions.spaces import Metric, On, Scale
from polylens.bits import differing_bits
from polylens.clustering import Points, row_bits, row_values, unit_length
from polylens.records import Partition, Rows

PAIRS = 20_000
"""Pairs drawn of either kind."""
NOISE_ROWS = 1000
"""Rows of noise drawn."""
_CHUNK_BYTES = 1 << 26
UNITS: dict[Metric, str] = {
    "euclidean": "Euclidean",
    "cosine": "1 - cosine",
    "l1": "summed absolute difference",
    "hamming": "share of bits",
    "jaccard": "Jaccard",
}
"""What distances are counted in, for axes."""


@dataclass(frozen=True)
class ClusterDistances:
    """Distances of drawn pairs."""

    within: Float64[np.ndarray, "within_pairs"]
    """Distances of pairs drawn from all pairs of rows of one cluster, each as likely."""
    between: Float64[np.ndarray, "between_pairs"]
    """Distances of pairs drawn from all pairs of rows of two clusters, each as likely."""
    noise: Float64[np.ndarray, "noise_rows"] | None
    """Distances from drawn rows of noise to the nearest medoid; None where there is no noise or no medoid."""


def cluster_distances(
    rows: Rows, partition: Partition, *, on: On, metric: Metric, scale: Scale, generator: np.random.Generator
) -> ClusterDistances:
    """Distances within clusters, between them, and from noise to the nearest medoid."""
    given = row_values(rows, on=on, scale=scale)
    points = given.raw if given.are_bits else given.values
    bits = row_bits(rows, on=on) or 0
    within, between = _draw_within(partition, generator), _draw_between(partition, generator)
    return ClusterDistances(
        within=_apart(points, *within, metric=metric, bits=bits),
        between=_apart(points, *between, metric=metric, bits=bits),
        noise=_of_noise(points, partition, metric=metric, bits=bits, generator=generator),
    )


_Reader = Callable[[Int64[np.ndarray, "some"]], Points]
"""Gives some rows: bits packed, numbers to scale."""
_Ends = tuple[Int64[np.ndarray, "pairs"], Int64[np.ndarray, "pairs"]]


def _draw_within(partition: Partition, generator: np.random.Generator) -> _Ends:
    order, starts, sizes = _group_rows(partition)
    pairs = sizes * (sizes - 1) / 2
    if not pairs.sum():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    cluster = generator.choice(len(sizes), size=PAIRS, p=pairs / pairs.sum())
    first = generator.integers(sizes[cluster])
    second = generator.integers(sizes[cluster] - 1)
    second += second >= first
    return order[starts[cluster] + first], order[starts[cluster] + second]


def _draw_between(partition: Partition, generator: np.random.Generator) -> _Ends:
    order, starts, sizes = _group_rows(partition)
    others = sizes.sum() - sizes
    pairs = (sizes * others).astype(np.float64)
    if not pairs.sum():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    cluster = generator.choice(len(sizes), size=PAIRS, p=pairs / pairs.sum())
    first = starts[cluster] + generator.integers(sizes[cluster])
    second = generator.integers(others[cluster])
    second += np.where(second >= starts[cluster], sizes[cluster], 0)
    return order[first], order[second]


def _group_rows(
    partition: Partition,
) -> tuple[Int64[np.ndarray, "clustered"], Int64[np.ndarray, "clusters"], Int64[np.ndarray, "clusters"]]:
    """Clustered rows, cluster by cluster; where each cluster starts among them, and its size."""
    order = np.argsort(partition.labels, kind="stable")
    order = order[partition.labels[order] >= 0].astype(np.int64)
    sizes = np.bincount(partition.labels[order], minlength=partition.n_clusters).astype(np.int64)
    return order, np.cumsum(sizes) - sizes, sizes


def _of_noise(
    points: _Reader, partition: Partition, *, metric: Metric, bits: int, generator: np.random.Generator
) -> Float64[np.ndarray, "noise_rows"] | None:
    noise = np.flatnonzero(partition.labels < 0)
    if not len(noise) or not len(partition.exemplars):
        return None
    drawn = np.sort(generator.choice(noise, size=min(NOISE_ROWS, len(noise)), replace=False))
    nearest = np.full(len(drawn), np.inf)
    for medoid in partition.exemplars:
        apart = _apart(points, drawn, np.full(len(drawn), medoid), metric=metric, bits=bits)
        np.minimum(nearest, apart, out=nearest)
    return nearest


def _apart(
    points: _Reader,
    left: Int64[np.ndarray, "pairs"],
    right: Int64[np.ndarray, "pairs"],
    *,
    metric: Metric,
    bits: int,
) -> Float64[np.ndarray, "pairs"]:
    """Distance of each pair, a bounded piece at a time."""
    step = max(_CHUNK_BYTES // max(points(left[:1]).nbytes * 8, 1), 1)
    distances = np.zeros(len(left))
    for start in range(0, len(left), step):
        piece = slice(start, start + step)
        distances[piece] = _distance(points(left[piece]), points(right[piece]), metric=metric, bits=bits)
    return distances


def _distance(one: Points, other: Points, *, metric: Metric, bits: int) -> Float64[np.ndarray, "pairs"]:
    if metric == "hamming":
        return np.asarray(differing_bits(one, other) / bits)
    if metric == "jaccard":
        union = np.bitwise_count(one | other).sum(1, dtype=np.int64)
        return np.asarray(differing_bits(one, other) / np.maximum(union, 1))
    if metric == "cosine":
        # A row of zeros has no direction: it is 1 from all but another such.
        one, other = unit_length(one), unit_length(other)
        left, right = one.any(1), other.any(1)
        products = np.einsum("pw,pw->p", one, other, dtype=np.float64)
        return np.asarray(np.where(left | right, np.clip(1 - products, 0, 2), 0.0))
    difference = one.astype(np.float64) - other
    if metric == "l1":
        return np.asarray(np.abs(difference).sum(1))
    return np.asarray(np.sqrt(np.einsum("pw,pw->p", difference, difference)))
