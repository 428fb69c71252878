"""Training a language model on texts: the next token of each. A killed training goes on where it was kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from polylens.devices import Options, run_trainer, silent_trainer, torch_threads
from polylens.errors import DataError
from polylens.models.gpt import LanguageTraining
from polylens.progress import Progress, Silent
from polylens.records import Examples
from polylens.streams import Streams
from polylens.training.fitting import reproducible, write_training
from polylens.work import Keeper

if TYPE_CHECKING:
    import torch

    from polylens.training.batches import EpochOrder


def fit_language(
    module: torch.nn.Module,
    examples: Examples,
    *,
    training: LanguageTraining,
    streams: Streams,
    folder: Path,
    keeper: Keeper | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> None:
    """Trains `module` in place to name the next token; writes its weights, history and summary into `folder`.

    One device and 32 bits are used whatever the options say, and exactly `training.threads` threads. The
    order of sequences depends on the seed and the epoch alone, and nothing else is drawn, so a training that
    goes on gives the weights of one that was never stopped, bit for bit on one processor.

    Args:
        module: gives logits of the next token at each token; its weights are where training starts.
        examples: sequences of one length.
        training: epochs, batch size, step size, threads.
        streams: the order of sequences.
        folder: gets `weights.safetensors`, `history.parquet` and `summary.json`.
        keeper: where weights and optimiser are kept every `language_learner.PIECE` steps, which is the most
            that a killed process loses; None keeps nothing.
        options: the accelerator.
        progress: shows steps and their rate.

    Raises:
        DataError: the examples are no sequences of one length, or the loss is not finite.
        KeyboardInterrupt: the user interrupted.
    """
    from polylens.training.batches import EpochOrder, all_inputs
    from polylens.training.language_learner import LanguageLearner

    options, progress = options or Options(), progress or Silent()
    lengths = examples.lengths()
    if lengths is None or not len(lengths) or int(lengths.min()) != int(lengths.max()):
        raise DataError(
            "a language model is trained on texts packed into sequences of one length",
            hint="take a dataset of text that keeps documents for training, such as tagged_text",
        )
    sequences = all_inputs(examples)
    order = EpochOrder(len(sequences), batch_size=training.batch_size, streams=streams)
    with torch_threads(training.threads), reproducible(streams):
        learner = LanguageLearner(
            module.train().requires_grad_(), training=training, epoch=len(order), keeper=keeper
        )
        learner.restore()
        batches = _Batches(sequences, order, first=learner.step, steps=training.epochs * len(order))
        if len(batches):
            # All that is left is one epoch of Lightning's, whichever of ours it begins in.
            alone = replace(options, devices=1, num_nodes=1, strategy="auto", precision="32-true")
            trainer = silent_trainer(alone, max_epochs=1, num_sanity_val_steps=0)
            # Steps that were kept took no time now: rate and time left are those of the others.
            title = f"training on from step {learner.step:,}" if learner.step else "training"
            with progress.task(title, total=len(batches), unit="steps") as task:
                learner.task = task
                run_trainer(lambda: trainer.fit(learner, train_dataloaders=batches))
    module.eval()
    write_training(
        folder,
        module,
        learner.history,
        training=training,
        n_examples=len(examples),
        n_steps=training.epochs * len(order),
    )


class _Batches:
    """The batches of all steps from one on, epoch by epoch."""

    def __init__(self, sequences: torch.Tensor, order: EpochOrder, *, first: int, steps: int) -> None:
        self._sequences, self._order = sequences, order
        self._first, self._steps = first, steps

    def __len__(self) -> int:
        return self._steps - self._first

    def __iter__(self) -> Iterator[torch.Tensor]:
        import torch

        step = self._first
        while step < self._steps:
            epoch, done = divmod(step, len(self._order))
            self._order.set_epoch(epoch)
            for number, indices in enumerate(self._order):
                if number >= done:
                    yield self._sequences[torch.tensor(indices)]
                    step += 1
