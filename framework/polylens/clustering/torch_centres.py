"""Nearest centres on a GPU: products of blocks by torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.rows_as_numbers import RowValues
from polylens.clustering.torch_passes import device_named
from polylens.progress import Task

if TYPE_CHECKING:
    import torch

_BLOCK_BYTES = 1 << 28
"""Squared distances held at once."""


class TorchNearest:
    """Nearest centres by products in double precision, all anew in each round.

    They are the processor's but for the choice between centres whose distances agree to some thirteen digits.
    The device holds the rows: activations as they are clustered, bits packed.
    """

    def __init__(self, rows: RowValues, *, origin: Float64[np.ndarray, "width"], device: str) -> None:
        import torch

        self._device = device_named(device)
        self._width, self._are_bits = rows.width, rows.are_bits
        whole = rows.raw(slice(0, 0)).shape[1]
        kind = torch.uint8 if rows.are_bits else torch.float32
        self._rows = torch.empty((len(rows), whole), dtype=kind, device=self._device)
        for some in rows.pieces():
            piece = rows.raw(some) if rows.are_bits else rows.values(some)
            self._rows[some] = torch.tensor(piece, device=self._device)
        self._origin = torch.tensor(origin, device=self._device)

    def find(
        self,
        centres: Float64[np.ndarray, "centres width"],
        moved: Float64[np.ndarray, "centres"] | None,
        *,
        task: Task,
    ) -> Int64[np.ndarray, "rows"]:
        """The nearest centre of every row."""
        labels = np.empty(len(self._rows), dtype=np.int64)
        for some, squares in self._squares(centres):
            labels[some] = squares.argmin(1).cpu().numpy()
            task.advance((some.stop - some.start) / len(labels))
        return labels

    def place(self, row: int, centre: int) -> None:
        """Nothing is kept from round to round."""

    def next_distances(
        self, centres: Float64[np.ndarray, "centres width"], labels: Int64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows"]:
        """The distance of every row to the nearest centre but its own; infinite where there is no other."""
        import torch

        found = np.empty(len(labels))
        for some, squares in self._squares(centres):
            own = torch.tensor(labels[some], device=self._device)
            squares.scatter_(1, own[:, None], torch.inf)
            found[some] = squares.amin(1).clamp(min=0).sqrt().cpu().numpy()
        return found

    def _squares(self, centres: Float64[np.ndarray, "centres width"]) -> Iterator[tuple[slice, torch.Tensor]]:
        """Squared distances of all rows to all centres, block by block."""
        import torch

        right = torch.tensor(centres, device=self._device) - self._origin
        size = max(_BLOCK_BYTES // (8 * max(right.shape)), 1)
        for start in range(0, len(self._rows), size):
            some = slice(start, min(start + size, len(self._rows)))
            left = self._values(some) - self._origin
            squares = (left * left).sum(1)[:, None] + (right * right).sum(1)
            yield some, squares - 2 * (left @ right.T)

    def _values(self, some: slice) -> torch.Tensor:
        """Some rows in double precision; bits as -1 and +1."""
        import torch

        rows = self._rows[some]
        if not self._are_bits:
            return rows.double()
        places = torch.arange(7, -1, -1, dtype=torch.uint8, device=self._device)
        bits = (rows[:, :, None] >> places) & 1
        return bits.flatten(1)[:, : self._width].double() * 2 - 1
