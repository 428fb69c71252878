"""Stratified pairs of examples: equally many of the same class and of different classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, Num

from polylens.bits import layer_distances
from polylens.records import Codes
from polylens.statistics.blocks import Blocks

_CHUNK_VALUES = 4_000_000
"""Numbers held at once when pairs of rows are compared (32 MB in double precision)."""
_CHUNK_BYTES = 1 << 22
"""Bytes of codes held at once when pairs of codes are compared."""


@dataclass(frozen=True)
class Pairs:
    """Unordered pairs of rows."""

    left: Int64[np.ndarray, "pairs"]
    right: Int64[np.ndarray, "pairs"]

    def __len__(self) -> int:
        return len(self.left)

    def weights(self, multiplicity: Int64[np.ndarray, "rows"]) -> Float64[np.ndarray, "pairs"]:
        """How often each pair occurs where each row occurs so often: the product of its two ends."""
        return np.asarray(multiplicity[self.left] * multiplicity[self.right], dtype=np.float64)


def class_pairs(
    targets: Int64[np.ndarray, "rows"], *, same: bool, count: int, generator: np.random.Generator
) -> Pairs:
    """Pairs drawn uniformly from all unordered pairs of distinct rows of one class, or of two classes.

    Drawn without replacement: no pair occurs twice and no row is paired with itself. Where fewer than `count`
    such pairs exist, all of them are given.

    >>> len(class_pairs(np.array([0, 0, 1]), same=True, count=5, generator=np.random.default_rng(0)))
    1
    """
    order = np.argsort(targets, kind="stable").astype(np.int64)
    _, first, sizes = np.unique(targets[order], return_index=True, return_counts=True)
    after = len(order) - first - sizes
    ends = np.cumsum(sizes * (sizes - 1) // 2 if same else sizes * after)
    total = int(ends[-1]) if len(ends) else 0
    rank = (
        np.arange(total)
        if total <= count
        else np.sort(generator.choice(total, size=count, replace=False, shuffle=False))
    ).astype(np.int64)
    group = np.searchsorted(ends, rank, side="right")
    rank = rank - np.concatenate([[0], ends])[group]
    if same:
        upper, lower = _triangle(rank)
        left, right = first[group] + lower, first[group] + upper
    else:
        left = first[group] + rank // np.maximum(after[group], 1)
        right = (first + sizes)[group] + rank % np.maximum(after[group], 1)
    return Pairs(left=order[left], right=order[right])


def row_pairs(pairs: Pairs, *, blocks: Blocks, generator: np.random.Generator) -> Pairs:
    """Pairs of examples as pairs of rows: one row drawn from each end's example."""
    order = np.argsort(blocks.block, kind="stable").astype(np.int64)
    starts = np.cumsum(blocks.sizes) - blocks.sizes
    left, right = (
        order[starts[end] + generator.integers(blocks.sizes[end])] for end in (pairs.left, pairs.right)
    )
    return Pairs(left=left, right=right)


def segment_lengths(points: Num[np.ndarray, "rows ..."], *, pairs: Pairs) -> Float64[np.ndarray, "pairs"]:
    """Euclidean distance of each pair, summed in double precision, a bounded piece at a time.

    >>> segment_lengths(np.array([[0.0, 0.0], [3.0, 4.0]]), pairs=Pairs(np.array([0]), np.array([1])))
    array([5.])
    """
    flat = points.reshape(len(points), -1)
    step = max(_CHUNK_VALUES // max(flat.shape[1], 1), 1)
    lengths = np.zeros(len(pairs))
    for start in range(0, len(pairs), step):
        piece = slice(start, start + step)
        difference = flat[pairs.left[piece]].astype(np.float64) - flat[pairs.right[piece]]
        lengths[piece] = np.sqrt(np.einsum("pw,pw->p", difference, difference))
    return lengths


def code_distances(codes: Codes, *, pairs: Pairs) -> Float64[np.ndarray, "pairs layers"]:
    """Share of each layer's units that are in another regime, for each pair, a bounded piece at a time."""
    step = max(_CHUNK_BYTES // max(codes.scheme.n_bytes, 1), 1)
    distances = np.zeros((len(pairs), len(codes.scheme.layers)))
    for start in range(0, len(pairs), step):
        piece = slice(start, start + step)
        ends = (codes.packed[pairs.left[piece]], codes.packed[pairs.right[piece]])
        distances[piece] = layer_distances(*ends, codes.scheme)
    return distances


def _triangle(
    rank: Int64[np.ndarray, "pairs"],
) -> tuple[Int64[np.ndarray, "pairs"], Int64[np.ndarray, "pairs"]]:
    """The pair (upper, lower), upper > lower, that stands at each place of (1,0), (2,0), (2,1), (3,0), ..."""
    upper = ((1 + np.sqrt(1 + 8 * rank.astype(np.float64))) / 2).astype(np.int64)
    # The square root is rounded for large ranks: mend by at most one step.
    upper -= upper * (upper - 1) // 2 > rank
    upper += upper * (upper + 1) // 2 <= rank
    return upper, rank - upper * (upper - 1) // 2
