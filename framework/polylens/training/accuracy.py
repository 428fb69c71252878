"""How often a network names the right class."""

from __future__ import annotations

import numpy as np

from polylens.devices import Options, exact_float32, silent_trainer
from polylens.errors import DataError
from polylens.records import Examples, Network, Number
from polylens.statistics import Shares


def accuracy(network: Network, examples: Examples, *, options: Options | None = None) -> Number:
    """The share of examples whose greatest score is that of their class, with its 90 % interval.

    Raises:
        DataError: the examples have no classes.
    """
    import torch

    options = options or Options()
    if examples.targets is None or len(examples) == 0:
        raise DataError("accuracy needs examples with classes, and this dataset has none")
    device = silent_trainer(Options(accelerator=options.accelerator)).strategy.root_device
    module = network.module.to(device).eval()
    right = np.zeros(len(examples), dtype=bool)
    try:
        with torch.no_grad(), exact_float32():
            for start in range(0, len(examples), options.batch_size):
                indices = range(start, min(start + options.batch_size, len(examples)))
                named = module(examples.batch(indices).to(device)).argmax(dim=1).cpu().numpy()
                right[list(indices)] = named == examples.targets[list(indices)]
    finally:
        module.cpu()
    (interval,) = Shares.of(right, example=np.arange(len(examples))).intervals()
    return Number(
        value=float(right.mean()),
        low=interval.low,
        high=interval.high,
        interval=interval.meaning,
        chance=float(np.bincount(examples.targets).max()) / len(examples),
        chance_is="always naming the most frequent class",
    )
