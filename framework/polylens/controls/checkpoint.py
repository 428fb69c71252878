"""The network under study, earlier in its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from polylens.controls import Control
from polylens.records import Examples, Network
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.models import Model


class Checkpoint(Control):
    """The very network of the spec, earlier in its training: after fewer epochs, or at another revision.

    A network trained here is trained again and stopped: all randomness is the spec's own and depends on the
    epoch alone, so on one machine it is, to the last bit, what the spec's network was after that epoch. At
    0 epochs it has its initial weights. A network of the hub is taken at another commit, such as those that
    Pythia has for steps of its training.
    """

    draws: Literal[1] = 1
    """There is one such network."""
    epochs: int | None = Field(default=None, ge=0)
    """After how many epochs, fewer than the model's own; only for networks trained here. Without this and
    without a `revision` it is 1."""
    revision: str | None = Field(default=None, pattern="^[0-9a-f]{40}$")
    """The hub's commit, 40 digits; only for models of the hub."""

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.epochs is not None and self.revision is not None:
            raise PydanticCustomError(
                "which_checkpoint", "a checkpoint has `epochs` or a `revision`, not both"
            )
        return self

    @property
    def _after(self) -> int:
        return 1 if self.epochs is None else self.epochs

    def start(self, model: Model) -> Model | None:
        """The model as it was then."""
        if self.revision is not None:
            return model.at_revision(self.revision)
        return model.after_epochs(self._after)

    def why_not(self, model: Model) -> tuple[str, str] | None:
        """It was not trained here for more epochs, or has no other revision."""
        if self.start(model) is not None:
            return None
        training = model.training_here()
        if self.revision is not None:
            return "asks for another revision, but this model has none", "use it with models of the hub"
        if training is None:
            hint = "give the model a 'training' block, or say 'revision' for a model of the hub"
            return "stops the training earlier, but this model is not trained here", hint
        hint = f"say less than {training.epochs}"
        return f"is after epoch {self._after}, and the model is trained for {training.epochs}", hint

    def apply(self, network: Network, examples: Examples, streams: Streams) -> Network:
        """The network as it was then."""
        return network
