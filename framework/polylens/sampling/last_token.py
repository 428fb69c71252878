"""The last valid position of each example."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from polylens.sampling import Sampling, TooFewPositionsError


class LastToken(Sampling):
    """Takes the last valid position of each example: of text, its last token that is not a special one."""

    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """The one raw position.

        Raises:
            TooFewPositionsError: no position is valid.

        >>> LastToken().choose(np.array([1, 2, 7]), grid=(9,), generator=np.random.default_rng(0)).tolist()
        [7]
        """
        if not len(valid):
            raise TooFewPositionsError("no position is valid")
        return valid[-1:]
