"""One network under training: its loss, its optimiser, and what is kept of each epoch."""

from __future__ import annotations

from typing import Any

import torch

from polylens.errors import DataError
from polylens.imports import lightning
from polylens.models import Training
from polylens.progress import Task


class Learner(lightning().LightningModule):  # type: ignore[misc]
    """Cross-entropy on classes. Sums stay on the device until the epoch ends: nothing is logged per step."""

    def __init__(self, network: torch.nn.Module, *, training: Training, task: Task) -> None:
        super().__init__()
        self.network = network
        self.settings = training
        self.history: list[tuple[int, float, float]] = []
        """Epoch, mean loss, and accuracy on the batches as they were seen."""
        self._task = task
        self._loss: torch.Tensor | float = 0.0
        self._correct: torch.Tensor | int = 0
        self._seen = 0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimiser that the training block names."""
        rate, decay = self.settings.learning_rate, self.settings.weight_decay
        if self.settings.optimizer == "adam":
            return torch.optim.AdamW(self.network.parameters(), lr=rate, weight_decay=decay)
        return torch.optim.SGD(self.network.parameters(), lr=rate, momentum=0.9)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        """The mean cross-entropy of one batch."""
        inputs, targets = batch
        scores = self.network(inputs)
        loss = torch.nn.functional.cross_entropy(scores, targets)
        with torch.no_grad():
            self._loss = self._loss + loss.detach() * len(targets)
            self._correct = self._correct + (scores.argmax(dim=1) == targets).sum()
        self._seen += len(targets)
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Decays the weights apart from the gradient where the optimiser cannot."""
        if self.settings.optimizer == "sgd" and self.settings.weight_decay > 0:
            factor = 1 - self.settings.learning_rate * self.settings.weight_decay
            with torch.no_grad():
                for parameter in self.network.parameters():
                    parameter.mul_(factor)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Moves the progress bar."""
        self._task.advance()

    def on_train_epoch_end(self) -> None:
        """Keeps the epoch's numbers.

        Raises:
            DataError: the loss is not finite.
        """
        epoch = self.current_epoch + 1
        loss = float(self._loss) / self._seen
        if not torch.isfinite(torch.tensor(loss)):
            raise DataError(
                f"training failed: the loss became {loss} in epoch {epoch}",
                hint=f"lower 'training.learning_rate' (it is {self.settings.learning_rate}), "
                "or look for inputs that are not finite",
            )
        self.history.append((epoch, loss, int(self._correct) / self._seen))
        self._loss, self._correct, self._seen = 0.0, 0, 0
