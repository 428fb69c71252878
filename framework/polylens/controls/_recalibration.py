"""Batch-norm statistics of a changed network, taken anew from data."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from polylens.errors import UsageError
from polylens.records import Examples
from polylens.streams import Streams

_BATCH = 32
"""Examples a step; steps are of nearly equal size, so that each counts alike in the mean."""


def recalibrate(
    module: torch.nn.Module, examples: Examples, *, count: int, streams: Streams
) -> tuple[str, ...]:
    """Sets the running mean and variance of every batch norm, in place, to those of drawn examples.

    Batch norms normalise by the batch at hand while the examples pass, so that each layer sees inputs of
    the scale it will see later; means and variances are averaged over the batches. Everything else, dropout
    included, stays in eval mode.

    Args:
        module: in eval mode; afterwards too.
        examples: to draw from.
        count: how many are drawn (all, where there are fewer).
        streams: randomness of the draw (stream `calibration`).

    Returns:
        Names of the batch norms that were set.

    Raises:
        UsageError: there are fewer than two examples.
    """
    norms = {
        name: layer
        for name, layer in module.named_modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None
    }
    if not norms:
        return ()
    if len(examples) < 2:
        raise UsageError(
            "batch norms cannot be recalibrated on fewer than 2 examples", hint="raise the limit"
        )
    momenta = {name: norm.momentum for name, norm in norms.items()}
    for norm in norms.values():
        norm.reset_running_stats()
        norm.momentum = None  # PyTorch's way to ask for the plain mean over batches
        norm.train()
    device = next(module.parameters()).device
    with torch.no_grad():
        for batch in _batches(len(examples), count=count, streams=streams):
            module(examples.batch(batch).to(device))
    for name, norm in norms.items():
        norm.momentum = momenta[name]
        norm.eval()
    return tuple(norms)


def _batches(available: int, *, count: int, streams: Streams) -> list[Sequence[int]]:
    chosen = streams.generator("calibration").choice(available, size=min(count, available), replace=False)
    steps = -(-len(chosen) // _BATCH)
    return [chosen[step::steps].tolist() for step in range(steps)]
