"""Evenly spaced positions after a first stretch that is left out."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np
from jaxtyping import Int64
from pydantic import Field

from polylens.sampling import Sampling, TooFewPositionsError


class EvenlySpaced(Sampling):
    """Takes `count` positions at equal steps, none of the first `after`.

    Valid positions are ranked 0 to length - 1. With `end: open` the ranks
    `after + k * floor((length - after) / count)` are taken, k = 0 .. count - 1, so that all steps are equal;
    with `end: inclusive` the ranks `round(after + k * (length - 1 - after) / (count - 1))`, so that the last
    valid position is taken too (halves go to the even rank; a single position is the first).

    Source: Black et al. 2022, who take 6 of 1024 tokens, none of the first 100.
    """

    count: int = Field(ge=1)
    """Positions an example."""
    after: int = Field(default=0, ge=0)
    """How many valid positions are left out at the start."""
    end: Literal["open", "inclusive"] = "open"
    """Whether the last valid position is taken."""

    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """The raw positions at evenly spaced ranks, ascending.

        Raises:
            TooFewPositionsError: fewer than `after + count` positions are valid.

        >>> rule = EvenlySpaced(count=6, after=100)
        >>> rule.choose(np.arange(1024), grid=(1024,), generator=np.random.default_rng(0)).tolist()
        [100, 254, 408, 562, 716, 870]
        """
        length = len(valid)
        if length < self.after + self.count:
            raise TooFewPositionsError(
                f"{length} valid positions are too few to take {self.count} after the first {self.after}"
            )
        return valid[self._ranks(length)]

    def _ranks(self, length: int) -> list[int]:
        if self.end == "open" or self.count == 1:
            step = (length - self.after) // self.count
            return [self.after + k * step for k in range(self.count)]
        # Exact fractions: a rounded float would put long sequences on the wrong side of a half.
        step_exact = Fraction(length - 1 - self.after, self.count - 1)
        return [round(self.after + k * step_exact) for k in range(self.count)]
