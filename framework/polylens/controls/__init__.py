"""Controls: the same walk on a changed network."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from polylens.plugin import Plugin
from polylens.records import Examples, Network
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.models import Model

Weights = Literal["same", "untrained", "shuffled targets", "another seed", "earlier"]
"""Where a control's network gets its weights, before `apply` changes them."""


class Control(Plugin):
    """A control that a spec can name."""

    family: ClassVar[str] = "controls"
    weights: ClassVar[Weights] = "same"
    """Which weights the control starts from."""
    needs_training: ClassVar[bool] = False
    """Whether it only makes sense for networks trained here."""

    draws: int = Field(default=1, ge=1)
    """How many changed networks are drawn, each with randomness of its own."""

    @property
    def has_own_draws(self) -> bool:
        """Whether its weights come from randomness of its own rather than the spec's."""
        return self.weights not in ("same", "earlier")

    def start(self, model: Model) -> Model | None:
        """The model whose weights the control starts from; None where there is none of this model."""
        if self.weights == "untrained":
            return model.untrained()
        return model.with_targets("shuffled") if self.weights == "shuffled targets" else model

    def why_not(self, model: Model) -> tuple[str, str] | None:
        """Why the model can have no such control, and what to do; None where it can."""
        if not self.needs_training or model.recipe() is not None:
            return None
        hint = "give the model a 'training' block, or leave this control out"
        return "retrains the network, but this model is not trained here", hint

    @abstractmethod
    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """The changed network. `network` is not modified.

        Args:
            network: with the weights that `weights` names.
            examples: the spec's examples, for controls that calibrate on data.
            streams: randomness of this draw.
        """
