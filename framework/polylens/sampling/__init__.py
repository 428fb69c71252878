"""Sampling rules: which positions of an example become rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from polylens.plugin import Plugin

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int64


class TooFewPositionsError(ValueError):
    """An example has too few valid positions for the rule; it is skipped and counted."""


class Sampling(Plugin):
    """A rule that chooses positions, on the host, before the forward pass."""

    family: ClassVar[str] = "sampling"
    reads_texts: ClassVar[bool] = False
    """Whether the rule looks at the tokens' texts; the harvest then calls `choose_by_text`."""

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

    def choose_by_text(
        self,
        valid: Int64[np.ndarray, "valid"],
        *,
        texts: Sequence[str] | None,
        grid: tuple[int, ...],
        generator: np.random.Generator,
    ) -> Int64[np.ndarray, "chosen"]:
        """The positions that become rows, for rules that look at what stands there.

        Args:
            valid: as for `choose`.
            texts: of the tokens at the valid positions; None where examples are no text.
            grid: as for `choose`.
            generator: randomness of this example.

        Raises:
            TooFewPositionsError: the example cannot be sampled by this rule.
        """
        return self.choose(valid, grid=grid, generator=generator)
