"""Every valid position."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from polylens.sampling import Sampling, TooFewPositionsError


class AllPositions(Sampling):
    """Takes every valid position of each example."""

    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """The valid raw positions, ascending.

        Raises:
            TooFewPositionsError: no position is valid.

        >>> AllPositions().choose(np.array([0, 2]), grid=(3,), generator=np.random.default_rng(0)).tolist()
        [0, 2]
        """
        if not len(valid):
            raise TooFewPositionsError("no position is valid")
        return valid
