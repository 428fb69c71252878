"""Every k-th valid position."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64
from pydantic import Field

from polylens.sampling import Sampling, TooFewPositionsError


class EveryKth(Sampling):
    """Takes every `k`-th valid position of each example: ranks `after`, `after + k`, `after + 2 k`, ..."""

    k: int = Field(ge=1)
    """Valid positions from one taken to the next."""
    after: int = Field(default=0, ge=0)
    """How many valid positions are left out at the start."""

    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """The raw positions, ascending.

        Raises:
            TooFewPositionsError: no position is valid after those left out.

        >>> rule = EveryKth(k=3, after=1)
        >>> rule.choose(np.arange(10), grid=(10,), generator=np.random.default_rng(0)).tolist()
        [1, 4, 7]
        """
        if len(valid) <= self.after:
            raise TooFewPositionsError(f"{len(valid)} valid positions; the first {self.after} are left out")
        return valid[self.after :: self.k]
