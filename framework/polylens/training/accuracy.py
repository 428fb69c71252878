"""How often a network names the right class."""

from __future__ import annotations

import math

import numpy as np

from polylens.devices import Options, exact_float32, silent_trainer
from polylens.errors import DataError
from polylens.records import Examples, Network, Number

_Z = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""


def accuracy(network: Network, examples: Examples, *, options: Options | None = None) -> Number:
    """The share of examples whose greatest score is that of their class, with its Wilson interval.

    Raises:
        DataError: the examples have no classes.
    """
    import torch

    options = options or Options()
    if examples.targets is None or len(examples) == 0:
        raise DataError("accuracy needs examples with classes, and this dataset has none")
    device = silent_trainer(Options(accelerator=options.accelerator)).strategy.root_device
    module = network.module.to(device).eval()
    correct = 0
    try:
        with torch.no_grad(), exact_float32():
            for start in range(0, len(examples), options.batch_size):
                indices = range(start, min(start + options.batch_size, len(examples)))
                named = module(examples.batch(indices).to(device)).argmax(dim=1).cpu().numpy()
                correct += int((named == examples.targets[list(indices)]).sum())
    finally:
        module.cpu()
    low, high = wilson_interval(correct, len(examples))
    return Number(
        value=correct / len(examples),
        low=low,
        high=high,
        interval=f"95 % Wilson interval over {len(examples):,} examples",
        chance=float(np.bincount(examples.targets).max()) / len(examples),
        chance_is="always naming the most frequent class",
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a share.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    >>> low, high = wilson_interval(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    share, z2 = successes / trials, _Z * _Z
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return max(0.0, centre - half), min(1.0, centre + half)
