"""Positions drawn at random in each example."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64
from pydantic import Field

from polylens.sampling import Sampling, TooFewPositionsError


class RandomPositions(Sampling):
    """Draws `count` different positions of each example, all equally likely."""

    count: int = Field(ge=1)
    """Positions an example."""

    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """The drawn raw positions, ascending.

        Raises:
            TooFewPositionsError: fewer than `count` positions are valid.

        >>> rule = RandomPositions(count=3)
        >>> rule.choose(np.array([4, 5, 9]), grid=(16,), generator=np.random.default_rng(0)).tolist()
        [4, 5, 9]
        """
        if len(valid) < self.count:
            raise TooFewPositionsError(f"{len(valid)} valid positions; {self.count} are to be drawn")
        return np.sort(generator.choice(valid, size=self.count, replace=False))
