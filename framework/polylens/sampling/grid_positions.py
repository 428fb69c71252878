"""An evenly spread lattice of positions of an image."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64
from pydantic import Field

from polylens.errors import UsageError
from polylens.sampling import Sampling, TooFewPositionsError


class GridPositions(Sampling):
    """Takes a lattice of `rows` by `columns` positions.

    The image is cut into `rows` equal bands and the middle of each is taken:
    `floor((2 k + 1) * height / (2 * rows))`, k = 0 .. rows - 1; columns likewise. One row and one column
    give `center`; as many rows as the layer has give every row.
    """

    rows: int = Field(ge=1)
    """Positions from top to bottom."""
    columns: int = Field(ge=1)
    """Positions from left to right."""

    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """The raw positions of the lattice, in row-major order.

        Raises:
            UsageError: the layer has no two-dimensional grid, or a smaller one than the lattice.
            TooFewPositionsError: a position of the lattice is not valid in this example.

        >>> rule = GridPositions(rows=2, columns=1)
        >>> rule.choose(np.arange(64), grid=(8, 8), generator=np.random.default_rng(0)).tolist()
        [20, 52]
        """
        if len(grid) != 2:
            raise UsageError(
                f"grid_positions needs a layer with rows and columns; this one has {len(grid)} axes",
                hint="for sequences use evenly_spaced",
            )
        height, width = grid
        if self.rows > height or self.columns > width:
            raise UsageError(
                f"a lattice of {self.rows} x {self.columns} does not fit into the grid of {height} x {width}"
            )
        down, across = _middles(height, bands=self.rows), _middles(width, bands=self.columns)
        positions = (down[:, None] * width + across[None, :]).reshape(-1)
        missing = positions[~np.isin(positions, valid)]
        if len(missing):
            place = [int(missing[0]) // width, int(missing[0]) % width]
            raise TooFewPositionsError(f"position {place} of the lattice is not valid in this example")
        chosen: Int64[np.ndarray, "chosen"] = positions
        return chosen


def _middles(extent: int, *, bands: int) -> Int64[np.ndarray, "bands"]:
    """The middle index of each of `bands` equal bands of `extent` indices.

    >>> _middles(14, bands=3).tolist()
    [2, 7, 11]
    """
    return (2 * np.arange(bands, dtype=np.int64) + 1) * extent // (2 * bands)
