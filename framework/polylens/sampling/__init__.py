"""Sampling rules: which positions of an example become rows."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Int64

from polylens.plugin import Plugin


class TooFewPositionsError(ValueError):
    """An example has too few valid positions for the rule; it is skipped and counted."""


class Sampling(Plugin):
    """A rule that chooses positions, on the host, before the forward pass."""

    family: ClassVar[str] = "sampling"

    @abstractmethod
    def choose(
        self, valid: Int64[np.ndarray, "valid"], *, grid: tuple[int, ...], generator: np.random.Generator
    ) -> Int64[np.ndarray, "chosen"]:
        """The raw positions that become rows, in the order they are to stand.

        Args:
            valid: raw positions that may be chosen, ascending, flat in row-major order over `grid`.
            grid: extent of the positions: (height, width) or (tokens,).
            generator: randomness of this example.

        Raises:
            TooFewPositionsError: the example cannot be sampled by this rule.
        """
