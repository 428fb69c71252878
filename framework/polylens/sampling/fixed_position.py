"""One position, in every example."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from jaxtyping import Int64
from pydantic import Discriminator, Field, Tag

from polylens.errors import UsageError
from polylens.sampling import Sampling, TooFewPositionsError

Index = Annotated[int, Field(ge=0)]


def _form(value: Any) -> str:
    """Which form of `at` is meant, so that an error speaks of that form alone."""
    if isinstance(value, str):
        return "name"
    return "position" if isinstance(value, (tuple, list)) else "token"


class FixedPosition(Sampling):
    """Takes one position, the same in every example.

    Source: Black et al. 2022, who take one spatial position of InceptionV1's channel vectors.
    """

    at: Annotated[
        Annotated[Literal["center"], Tag("name")]
        | Annotated[tuple[Index, Index], Tag("position")]
        | Annotated[Index, Tag("token")],
        Discriminator(_form),
    ]
    """`[row, column]` of an image or one index of a sequence, from 0; or `center`: floor(n / 2) each way."""

    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """The one raw position.

        Raises:
            UsageError: the position lies outside of the grid, which is so for every example.
            TooFewPositionsError: the position is not valid in this example, such as padding.

        >>> rule = FixedPosition(at="center")
        >>> rule.choose(np.arange(56), grid=(7, 8), generator=np.random.default_rng(0)).tolist()
        [28]
        """
        place = self._place(grid)
        position = int(np.ravel_multi_index(place, grid))
        if position not in valid:
            raise TooFewPositionsError(f"position {_shown(place)} is not valid in this example")
        return np.array([position], dtype=np.int64)

    def _place(self, grid: tuple[int, ...]) -> tuple[int, ...]:
        if self.at == "center":
            return tuple(extent // 2 for extent in grid)
        place = self.at if isinstance(self.at, tuple) else (self.at,)
        shape = " x ".join(map(str, grid))
        if len(place) != len(grid):
            needed = "[row, column]" if len(grid) == 2 else "one index"
            raise UsageError(
                f"the layer's positions form a grid of {shape}, which {_shown(place)} does not point into",
                hint=f"give 'at' as {needed}, or as center",
            )
        if any(index >= extent for index, extent in zip(place, grid, strict=True)):
            last = _shown(tuple(extent - 1 for extent in grid))
            raise UsageError(
                f"position {_shown(place)} lies outside of the layer's grid of {shape}",
                hint=f"positions are counted from 0; the last one is {last}",
            )
        return place


def _shown(place: tuple[int, ...]) -> str:
    return str(list(place)) if len(place) > 1 else str(place[0])
