"""What networks that are built and trained here have in common: a `training` block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from polylens.models import Model, Training


class TrainedHere(Model):
    """A network with a `training` block; a kind declares the field where it stands among its other keys."""

    if TYPE_CHECKING:
        training: Training | None

    def training_here(self) -> Training | None:
        """The `training` block."""
        return self.training

    def untrained(self) -> Self:
        """This architecture with fresh weights."""
        return self.model_copy(update={"training": None})

    def with_targets(self, targets: Literal["true", "shuffled"]) -> Self | None:
        """This network trained on other targets; None where it is not trained."""
        if self.training is None:
            return None
        return self.model_copy(update={"training": self.training.model_copy(update={"targets": targets})})

    def after_epochs(self, epochs: int) -> Self | None:
        """This network trained for fewer epochs; None where it is trained for no more than these."""
        if self.training is None or epochs >= self.training.epochs:
            return None
        shorter = self.training.model_copy(update={"epochs": epochs}) if epochs else None
        return self.model_copy(update={"training": shorter})
