"""Rows as the numbers that means are taken of, some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from polylens.bits import pack_codes
from polylens.clustering.points import On, Points, Scale, Scaling, row_points
from polylens.records import Rows

_NUMBERS = 1 << 20
"""Numbers of rows that are looked at together (4 MB in single precision, and twice that in double)."""
_MOST_ROWS = 4096
"""Rows that are looked at together, at most: more than a kernel that Python runs itself is given
(`kernels.compiling`)."""
_SIGNS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * np.float32(2) - np.float32(1)
"""The eight bits of every byte as -1 and +1."""


@dataclass(frozen=True)
class RowValues:
    """Rows as numbers, made where they are read: activations, as they are or to scale; bits as -1 and +1.

    Nothing is held beside the rows, which may be a memory map.
    """

    points: Float32[np.ndarray, "all width"] | UInt8[np.ndarray, "all bytes"]
    width: int
    """Columns; of packed bits the first so many."""
    scaling: Scaling | None = None
    """How activations are brought to scale; None where they are left as they are."""
    index: Int64[np.ndarray, "rows"] | None = None
    """The rows that count, in order; all where None."""

    @classmethod
    def of(cls, points: Float32[np.ndarray, "rows width"] | Bool[np.ndarray, "rows width"]) -> RowValues:
        """Those of activations, or of bits, which are packed first: an eighth of their memory once more."""
        packed = np.packbits(points, axis=1) if points.dtype == np.bool_ else points
        return cls(packed, points.shape[1])

    @property
    def are_bits(self) -> bool:
        """Whether rows are bits."""
        return bool(self.points.dtype == np.uint8)

    def __len__(self) -> int:
        return len(self.points) if self.index is None else len(self.index)

    def take(self, chosen: Int64[np.ndarray, "chosen"]) -> RowValues:
        """Chosen rows, in the order of `chosen`; nothing is copied."""
        return replace(self, index=chosen if self.index is None else self.index[chosen])

    def raw(self, some: slice | Int64[np.ndarray, "some"]) -> Points:
        """Some rows as they are stored."""
        return self.points[some if self.index is None else self.index[some]]

    def values(
        self, some: slice | Int64[np.ndarray, "some"], *, only: Bool[np.ndarray, "some"] | None = None
    ) -> Float32[np.ndarray, "some width"]:
        """Some rows as numbers.

        Args:
            some: which rows.
            only: those of them that will be read, where the others may hold anything.
        """
        if self.index is None and self.scaling is None and not self.are_bits:
            return self.points[some]
        if only is None or only.all():
            return self._made(self.raw(some))
        made = np.empty((len(only), self.width), dtype=np.float32)
        number = np.flatnonzero(only)
        chosen = number + some.start if isinstance(some, slice) else some[number]
        made[number] = self._made(self.raw(chosen))
        return made

    def _made(self, raw: Points) -> Float32[np.ndarray, "some width"]:
        if self.are_bits:
            signs = np.take(_SIGNS, raw, axis=0).reshape(len(raw), 8 * raw.shape[1])
            return np.ascontiguousarray(signs[:, : self.width])
        return raw if self.scaling is None else self.scaling.apply(raw)

    def pieces(self, *, beside: int = 1) -> Iterator[slice]:
        """All rows, some at a time.

        Args:
            beside: numbers that each row is given besides, such as its distances to centres.
        """
        size = min(max(_NUMBERS // max(self.width, beside, 1), 1), _MOST_ROWS)
        return (slice(start, min(start + size, len(self))) for start in range(0, len(self), size))

    def mean(self) -> Float64[np.ndarray, "width"]:
        """The mean of all rows."""
        total = np.zeros(self.width)
        for some in self.pieces():
            total += self.values(some).sum(0, dtype=np.float64)
        return total / len(self)

    def count_distinct(self, *, enough: int) -> int:
        """How many rows are distinct, looked at no further than until there are `enough`."""
        seen: set[bytes] = set()
        for some in self.pieces():
            for row in self.raw(some):
                # -0 equals 0.
                seen.add((row if self.are_bits else row + np.float32(0)).tobytes())
                if len(seen) >= enough:
                    return len(seen)
        return len(seen)


def row_values(rows: Rows, *, on: On, scale: Scale = "none") -> RowValues:
    """The activations of rows, brought to scale, or the bits of their codes, or the numbers of graded ones.

    Raises:
        DataError: the rows carry no such part.
    """
    points = row_points(rows, on=on, packed=True)
    if points.dtype == np.uint8:
        assert rows.codes is not None
        return RowValues(np.asarray(pack_codes(rows.codes)), rows.codes.scheme.bits)
    scaling = None if scale == "none" else Scaling.of(points, scale)
    return RowValues(points, points.shape[1], scaling)
