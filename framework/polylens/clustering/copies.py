"""Rows that are copies of each other, as one row that counts several times.

Embeddings of tokens, codes of a small layer and raw inputs hold each row many times. All distances of copies
are ties, so that bounds rule none out and passes over all pairs measure each of them again. To mutual
reachability a row with copies is one row with more neighbours at distance 0. An edge from a row to its copy
weighs the core distance of both, and no edge of the row weighs less: such edges belong to a minimum spanning
tree, and the tree of the distinct rows is the rest of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from polylens.clustering.points import Points
from polylens.clustering.spaces import Nearest

_WORTH = 0.9
"""Distinct rows, as a share of all, below which they are taken out: they are a second copy in memory."""
_PIECE = 1 << 24
"""Bytes of rows that are looked at at once."""

AnyPoints = TypeVar("AnyPoints", bound=Points)


@dataclass(frozen=True)
class Copies:
    """Which rows are copies of which.

    >>> copies = Copies.of(np.array([[1], [2], [1], [1]], dtype=np.float32))
    >>> copies.first.tolist(), copies.of_row.tolist(), copies.counts.tolist()
    ([0, 1], [0, 1, 0, 0], [3, 1])
    """

    first: Int64[np.ndarray, "distinct"]
    """The first row of each kind, rising."""
    of_row: Int64[np.ndarray, "rows"]
    """The kind of each row, as a number of `first`."""

    @classmethod
    def of(cls, points: Shaped[np.ndarray, "rows width"]) -> Copies:
        """The rows of equal bytes; each by itself where too few are copies to be worth it."""
        first, of_row = _by_digest(points)
        if len(first) > _WORTH * len(points) or not _are_equal(points, first, of_row):
            return cls.none(len(points))
        if len(first) == 1:  # passes over pairs need two rows
            first = np.array([0, len(points) - 1])
            of_row[-1] = 1
        return cls(first, of_row)

    @classmethod
    def none(cls, rows: int) -> Copies:
        """Each row by itself."""
        every = np.arange(rows, dtype=np.int64)
        return cls(every, every)

    @property
    def counts(self) -> Int64[np.ndarray, "distinct"]:
        """How often each kind is there."""
        return np.bincount(self.of_row).astype(np.int64)

    def distinct(self, points: AnyPoints) -> AnyPoints:
        """One row of each kind."""
        return points if len(self.first) == len(points) else points[self.first]

    def core(self, nearest: Nearest, min_samples: int) -> Float64[np.ndarray, "distinct"]:
        """Core distances of distinct rows: copies are neighbours, of the row itself at distance 0.

        Args:
            nearest: at least `min_samples - 1` distinct neighbours of each, or all that there are.
            min_samples: the neighbour that core distances reach to, the row itself counted.
        """
        counts = self.counts
        within = counts[:, None] + np.cumsum(counts[nearest.who], axis=1)
        reached = np.argmax(within >= min_samples, axis=1)
        core = np.take_along_axis(nearest.distances, reached[:, None], axis=1)[:, 0]
        return np.where(counts >= min_samples, 0.0, core)

    def spread(
        self,
        edges: Int64[np.ndarray, "edges 2"],
        weights: Float64[np.ndarray, "edges"],
        core: Float64[np.ndarray, "distinct"],
    ) -> tuple[Int64[np.ndarray, "all 2"], Float64[np.ndarray, "all"]]:
        """The tree of all rows, of that of the distinct ones: each copy hangs on the first of its kind."""
        others = np.flatnonzero(self.first[self.of_row] != np.arange(len(self.of_row)))
        kinds = self.of_row[others]
        hung = np.stack([self.first[kinds], others], axis=1)
        return np.concatenate([self.first[edges], hung]), np.concatenate([weights, core[kinds]])


def _by_digest(
    points: Shaped[np.ndarray, "rows width"],
) -> tuple[Int64[np.ndarray, "distinct"], Int64[np.ndarray, "rows"]]:
    """The first row of each digest, and the number of each row's."""
    digests = np.empty(len(points), dtype=np.int64)
    for places in _pieces(points):
        for place, row in zip(
            range(places.start, places.stop), np.ascontiguousarray(points[places]), strict=True
        ):
            digests[place] = int.from_bytes(hashlib.blake2b(row, digest_size=8).digest(), "big", signed=True)
    _, first, of_row = np.unique(digests, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order].astype(np.int64), rank[of_row].astype(np.int64)


def _are_equal(
    points: Shaped[np.ndarray, "rows width"],
    first: Int64[np.ndarray, "distinct"],
    of_row: Int64[np.ndarray, "rows"],
) -> bool:
    """Whether rows of one digest are copies to the last number, as two others may share one by chance."""
    return all(np.array_equal(points[places], points[first[of_row[places]]]) for places in _pieces(points))


def _pieces(points: Shaped[np.ndarray, "rows width"]) -> list[slice]:
    size = max(1, _PIECE // max(points.shape[1] * points.itemsize, 1))
    return [slice(start, min(start + size, len(points))) for start in range(0, len(points), size)]
