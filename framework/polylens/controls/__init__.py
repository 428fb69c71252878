"""Controls: the same walk on a changed network."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.plugin import Plugin
from polylens.records import Examples, Mark, Network
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.models import Model


class Control(Plugin):
    """A control that a spec can name."""

    family: ClassVar[str] = "controls"
    has_learnt: ClassVar[bool] = True
    """Whether its network has learnt anything; no weights are read into one that has not."""
    has_own_draws: ClassVar[bool] = False
    """Whether its weights come from randomness of its own rather than the spec's."""
    needs_training: ClassVar[bool] = False
    """Whether it only makes sense for networks trained here."""
    mark: ClassVar[Mark | None] = None
    """How pictures show it; None leaves it one of the quiet marks that are left."""

    draws: int = Field(default=1, ge=1)
    """How many changed networks are drawn, each with randomness of its own."""

    def start(self, model: Model) -> Model | None:
        """The model whose weights the control starts from; None where there is none of this model."""
        return model

    def why_not(self, model: Model) -> tuple[str, str] | None:
        """Why the model can have no such control, and what to do; None where it can."""
        if not self.needs_training or model.training_here() is not None:
            return None
        hint = "give the model a 'training' block, or leave this control out"
        return "retrains the network, but this model is not trained here", hint

    @abstractmethod
    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """The changed network. `network` is not modified.

        Args:
            network: with the weights of the model that `start` gives.
            examples: the spec's examples, for controls that calibrate on data.
            streams: randomness of this draw.
        """
