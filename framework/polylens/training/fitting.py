"""Training a network on classes: the same seed gives the same weights, bit for bit on one processor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64

from polylens.datasets import shuffled_targets
from polylens.devices import Options, run_trainer, silent_trainer, torch_threads
from polylens.digests import file_sha256
from polylens.errors import DataError
from polylens.models import Training
from polylens.progress import Progress, Silent
from polylens.records import Examples
from polylens.store import save_table, write_json
from polylens.streams import Streams

if TYPE_CHECKING:
    import torch


def fit(
    module: torch.nn.Module,
    examples: Examples,
    *,
    training: Training,
    streams: Streams,
    folder: Path,
    options: Options | None = None,
    progress: Progress | None = None,
) -> None:
    """Trains `module` in place; writes its weights, history and summary into `folder`.

    One device and 32 bits are used whatever the options say: more devices would change the batches, and other
    precisions the weights, while the digest of a training names neither. It does name the number of threads,
    and no more and no fewer are used, so that weights do not depend on how many cores there are.

    Args:
        module: gives one score per class; its weights are where training starts.
        examples: examples that have classes.
        training: epochs, batch size, optimiser, threads, and whether the classes are shuffled first.
        streams: all randomness: the order of examples, shuffled classes, dropout.
        folder: gets `weights.safetensors`, `history.parquet` and `summary.json`.
        options: accelerator and loading workers.
        progress: shows steps and their rate.

    Raises:
        DataError: there are no classes, the scores do not fit them, or the loss is not finite.
        KeyboardInterrupt: the user interrupted.
    """
    import torch

    from polylens.training.batches import training_batches
    from polylens.training.learner import Learner

    options, progress = options or Options(), progress or Silent()
    targets = torch.from_numpy(np.array(_targets(examples, training=training, streams=streams)))
    _check_scores(module, examples)
    batches = training_batches(
        examples, targets, batch_size=training.batch_size, streams=streams, workers=options.workers
    )
    n_steps = training.epochs * -(-len(examples) // training.batch_size)
    alone = replace(options, devices=1, num_nodes=1, strategy="auto", precision="32-true")
    with (
        progress.task("training", total=n_steps, unit="steps") as task,
        torch_threads(training.threads),
        reproducible(streams),
    ):
        learner = Learner(module.train().requires_grad_(), training=training, task=task)
        trainer = silent_trainer(alone, max_epochs=training.epochs, num_sanity_val_steps=0)
        run_trainer(lambda: trainer.fit(learner, train_dataloaders=batches))
    module.eval()
    write_training(
        folder, module, learner.history, training=training, n_examples=len(examples), n_steps=n_steps
    )


def _targets(examples: Examples, *, training: Training, streams: Streams) -> Int64[np.ndarray, "examples"]:
    if len(examples) == 0 or examples.targets is None:
        raise DataError(
            "training needs examples with classes, and this dataset has none",
            hint="choose a dataset with classes, or a model with published weights",
        )
    if training.targets == "true":
        return examples.targets
    return np.asarray(shuffled_targets(examples, streams).targets)


def _check_scores(module: torch.nn.Module, examples: Examples) -> None:
    import torch

    module.eval()
    with torch.no_grad():
        scores = module(examples.batch([0]))
    shape = tuple(getattr(scores, "shape", ()))
    n_classes = len(examples.classes)
    if len(shape) != 2 or shape[1] < n_classes:
        raise DataError(
            f"the network gives {shape[1:]} scores for an example, but there are {n_classes} classes",
            hint="set the model's number of classes to that of the dataset",
        )


@contextmanager
def reproducible(streams: Streams) -> Iterator[None]:
    """Seeds what draws from the global generators (dropout); they and torch's switches are restored."""
    import torch

    # Without a fixed workspace cuBLAS sums in an order that changes from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    with torch.random.fork_rng():
        torch.manual_seed(streams.torch_generator("global").initial_seed())
        # Where a GPU has no deterministic kernel, torch warns, and the weights differ in their last bits.
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(mode=before[0], warn_only=before[1])


def write_training(
    folder: Path,
    module: torch.nn.Module,
    history: list[tuple[int, float, float]],
    *,
    training: Training,
    n_examples: int,
    n_steps: int,
) -> None:
    """Writes a trained network's weights, the numbers of its epochs, and what was done."""
    import pandas as pd
    from safetensors.torch import save

    # Cloned, so that tied weights can be written, each under its own name.
    weights = {name: value.detach().cpu().clone().contiguous() for name, value in module.state_dict().items()}
    (folder / "weights.safetensors").write_bytes(save(weights))
    table = pd.DataFrame(history, columns=["epoch", "loss", "accuracy"])
    save_table(folder / "history.parquet", table)
    summary: dict[str, Any] = {
        "examples": n_examples,
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "steps": n_steps,
        "training": training.model_dump(),
        "final_loss": history[-1][1],
        "final_accuracy": history[-1][2],
        "weights_sha256": file_sha256(folder / "weights.safetensors"),
    }
    write_json(folder / "summary.json", summary)
