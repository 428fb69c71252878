"""How often a network names the right class."""

from __future__ import annotations

import numpy as np

from polylens.devices import Options, exact_float32, in_fitting_batches, silent_trainer
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.records import Examples, Network, Number
from polylens.statistics import Shares


def accuracy(
    network: Network, examples: Examples, *, options: Options | None = None, progress: Progress | None = None
) -> Number:
    """The share of examples whose greatest score is that of their class, with its 90 % interval.

    Raises:
        DataError: the examples have no classes.
        UsageError: there is not enough memory for one example.
    """
    import torch

    options = options or Options()
    if examples.targets is None or len(examples) == 0:
        raise DataError("accuracy needs examples with classes, and this dataset has none")
    device = silent_trainer(Options(accelerator=options.accelerator)).strategy.root_device
    targets = examples.targets
    right = np.zeros(len(examples), dtype=bool)

    def name(batch_size: int) -> None:
        module = network.module.to(device).eval()
        for start in range(0, len(examples), batch_size):
            indices = range(start, min(start + batch_size, len(examples)))
            named = module(examples.batch(indices).to(device)).argmax(dim=1).cpu().numpy()
            right[list(indices)] = named == targets[list(indices)]

    try:
        with torch.no_grad(), exact_float32():
            in_fitting_batches(name, batch_size=options.batch_size, note=(progress or Silent()).note)
    finally:
        network.module.cpu()
    (interval,) = Shares.of(right, example=np.arange(len(examples))).intervals()
    return Number(
        value=float(right.mean()),
        low=interval.low,
        high=interval.high,
        interval=interval.meaning,
        chance=float(np.bincount(examples.targets).max()) / len(examples),
        chance_is="always naming the most frequent class",
    )
