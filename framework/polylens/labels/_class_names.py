"""Images in words, for judges that are shown none: the classes that lie nearest to each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

from polylens.judges import Judge
from polylens.records import Context, Described, Partition, Rows, Told
from polylens.statistics import Blocks

_NAMES = 3
"""Class names that an image is described by."""
_PIECE = 256
"""Rows that are read at once: bits become eight bytes each."""


def teller(
    judge: Judge | None, shown: Callable[[int], Told], rows: Rows, partition: Partition
) -> Callable[[int], Told]:
    """What a judge is told of a row: what people are shown of it, or names of classes in place of an image.

    Args:
        judge: who is told.
        shown: what people are shown of a row.
        rows: that were partitioned.
        partition: whose space says what is near.
    """
    if judge is None or judge.takes_images() or rows.tokens is not None or rows.targets is None:
        return shown
    if not len(rows) or not isinstance(shown(0), Context):
        return shown
    nearest = _Nearest(rows, partition)
    return lambda row: Described(nearest.names(row))


class _Nearest:
    """The classes nearest to a row, by their means over the rows of other examples.

    So the row's own class is near where its other members are, and not because the row is one of them.
    Distances are Euclidean, between activations or codes, whichever were partitioned.
    """

    def __init__(self, rows: Rows, partition: Partition) -> None:
        codes = rows.codes
        by_code = codes is not None and (partition.space == "code" or rows.activations is None)
        self._values = codes.values if by_code and codes is not None else rows.activations
        self._are_bits = by_code and codes is not None and not codes.scheme.is_graded
        self._classes = rows.classes
        self._targets = np.asarray(rows.targets)
        self._block = Blocks.of(rows.origins.block).block
        order = np.argsort(self._block, kind="stable")
        self._of_block = np.split(order, np.flatnonzero(np.diff(self._block[order])) + 1)
        self._counts = np.bincount(self._targets, minlength=len(self._classes))
        self._sums = np.stack(
            [self._sum(np.flatnonzero(self._targets == number)) for number in range(len(self._classes))]
        )

    def names(self, row: int) -> tuple[str, ...]:
        """The names of the nearest classes, the nearest first."""
        own = self._of_block[self._block[row]]
        sums, counts = self._sums.copy(), self._counts.copy()
        for number in np.unique(self._targets[own]):
            kept = own[self._targets[own] == number]
            sums[number] -= self._sum(kept)
            counts[number] -= len(kept)
        apart = np.linalg.norm(sums / np.maximum(counts, 1)[:, None] - self._points(np.array([row])), axis=1)
        order = np.argsort(np.where(counts > 0, apart, np.inf), kind="stable")
        return tuple(self._classes[number] for number in order[:_NAMES] if counts[number])

    def _sum(self, index: Int64[np.ndarray, "chosen"]) -> Float64[np.ndarray, "width"]:
        pieces = np.array_split(index, max(1, len(index) // _PIECE))
        return np.asarray(np.sum([self._points(piece).sum(0) for piece in pieces], axis=0))

    def _points(self, index: Int64[np.ndarray, "chosen"]) -> Float64[np.ndarray, "chosen width"]:
        assert self._values is not None
        values = np.asarray(self._values[index])
        if self._are_bits:
            values = np.unpackbits(values, axis=1)
        return values.reshape(len(index), -1).astype(np.float64)
