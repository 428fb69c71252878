"""One language model under training: its loss, its optimiser, and what is kept of it on the way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from polylens.errors import DataError
from polylens.imports import lightning
from polylens.models.gpt import LanguageTraining
from polylens.progress import Task
from polylens.work import Keeper

PIECE = 50
"""Steps after which everything is kept: the most that a killed process loses."""
_KEPT = "training"
_LOWEST = 0.1
"""What the step size falls to, as a share of its highest."""
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class LanguageLearner(lightning().LightningModule):  # type: ignore[misc]
    """Cross-entropy of the next token. Counts its own steps and epochs, as a training can begin in any."""

    def __init__(
        self,
        network: torch.nn.Module,
        *,
        training: LanguageTraining,
        epoch: int,
        keeper: Keeper | None,
    ) -> None:
        """
        Args:
            network: under training.
            training: how.
            epoch: steps of one pass over the texts.
            keeper: where everything is kept; None keeps nothing.
        """
        super().__init__()
        self.network = network
        self.settings = training
        self.step = 0
        """Steps that are done."""
        self.history: list[tuple[int, float, float]] = []
        """Epoch, mean loss, and share of next tokens named, on the batches as they were seen."""
        self.task: Task | None = None
        """The progress bar of the steps that are left."""
        self._epoch, self._keeper = epoch, keeper
        self._sums = torch.zeros(3, dtype=torch.float64)
        """Loss, tokens named and tokens of this epoch."""
        self._optimiser: torch.optim.Optimizer = (
            torch.optim.AdamW(
                network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
            )
            if training.optimizer == "adam"
            else torch.optim.SGD(network.parameters(), lr=training.learning_rate, momentum=0.9)
        )

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimiser that the training block names."""
        return self._optimiser

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Sets the step size: it rises evenly, then falls as half a cosine."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * self._height()

    def training_step(self, batch: Int64[torch.Tensor, "texts tokens"], batch_idx: int) -> torch.Tensor:
        """The mean cross-entropy of the tokens of one batch, the first of each text left out."""
        scores = self.network(batch[:, :-1]).flatten(0, 1)
        following = batch[:, 1:].flatten()
        loss = torch.nn.functional.cross_entropy(scores, following)
        with torch.no_grad():
            named = (scores.argmax(dim=1) == following).sum()
            sums = torch.stack([loss.detach() * len(following), named, torch.tensor(len(following))])
            self._sums += sums.double().cpu()
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Counts the step, closes the epoch where it was the last, and keeps everything now and then."""
        self.step += 1
        if self.task is not None:
            self.task.advance()
        if self.step % self._epoch == 0:
            self._close_epoch()
        if self._keeper is not None and self.step % PIECE == 0:
            self._keep(self._keeper)

    def restore(self) -> None:
        """Takes up what an earlier process kept, where there is any."""
        kept = None if self._keeper is None else self._keeper.load(_KEPT)
        if kept is None:
            return
        weights = {
            name: torch.from_numpy(kept[f"weights.{name}"].copy()) for name in self.network.state_dict()
        }
        self.network.load_state_dict(weights)
        for name, parameter in self.network.named_parameters():
            self._optimiser.state[parameter] = {
                moment: torch.from_numpy(kept[key].copy())
                for moment in (*_MOMENTS, "momentum_buffer")
                if (key := f"{moment}.{name}") in kept
            }
        self.step = int(kept["step"][0])
        self._sums = torch.from_numpy(kept["sums"].copy())
        self.history = [(int(epoch), loss, named) for epoch, loss, named in kept["history"].tolist()]

    def _keep(self, keeper: Keeper) -> None:
        arrays = {f"weights.{name}": value.cpu().numpy() for name, value in self.network.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            for moment, value in self._optimiser.state[parameter].items():
                arrays[f"{moment}.{name}"] = value.cpu().numpy()
        arrays |= {
            "step": np.array([self.step]),
            "sums": self._sums.numpy(),
            "history": np.array(self.history, dtype=np.float64).reshape(-1, 3),
        }
        keeper.save(_KEPT, arrays)

    def _height(self) -> float:
        """The step size of the coming step, as a share of its highest."""
        warmup = self.settings.warmup
        if self.step < warmup:
            return (self.step + 1) / warmup
        whole = (self.settings.falls_over or self.settings.epochs) * self._epoch
        way = min((self.step - warmup) / max(whole - warmup, 1), 1.0)
        return _LOWEST + (1 - _LOWEST) * (1 + math.cos(math.pi * way)) / 2

    def _close_epoch(self) -> None:
        """Keeps the epoch's numbers.

        Raises:
            DataError: the loss is not finite.
        """
        loss, named, tokens = self._sums.tolist()
        epoch = self.step // self._epoch
        if not math.isfinite(loss):
            raise DataError(
                f"training failed: the loss became {loss} in epoch {epoch}",
                hint=f"lower 'training.learning_rate' (it is {self.settings.learning_rate})",
            )
        self.history.append((epoch, loss / tokens, named / tokens))
        self._sums = torch.zeros(3, dtype=torch.float64)
