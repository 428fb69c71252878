"""Codes: which regime each of a named set of units is in, or how far it is open."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from polylens.plugin import Plugin

if TYPE_CHECKING:
    import torch

    from polylens.dataflow import Flow, Nonlinearity, Selection


class Code(Plugin):
    """A code that a spec can name. Which units and which positions is always written, never implied."""

    family: ClassVar[str] = "codes"
    is_graded: ClassVar[bool] = False
    """Whether units are numbers rather than bits."""

    positions: Literal["same", "all"]
    """`same`: units at the row's own position; `all`: units everywhere, one row per example."""

    def later_layers(self) -> tuple[str, ...]:
        """Layers that the code's own fields name, such as `through`; a spec is checked for them."""
        return ()

    @abstractmethod
    def select(self, flow: Flow, layer: str) -> Selection:
        """Which nonlinearities of the network the code of `layer` reads, and whether it names polytopes.

        Raises:
            UsageError: the layer has no such units; says which layers have.
        """

    @abstractmethod
    def encode(self, nonlinearity: Nonlinearity, values: torch.Tensor) -> torch.Tensor:
        """The code of rows, on the device of `values`: booleans `rows bits`; graded, float32 `rows units`.

        Args:
            nonlinearity: whose units these are.
            values: `rows units` pre-activations, or winners' indices within their windows for max-pooling.
        """
