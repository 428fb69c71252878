"""Small networks and rows for analyses that look into a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from polylens.analyses import Probe, Probed
from polylens.records import Context, Examples, Findings, ImageFormat, Network, Origins, Rows
from polylens.streams import Streams
from polylens.work import Work


class Points(Examples):
    """Examples whose inputs are given."""

    def __init__(self, inputs: torch.Tensor, targets: np.ndarray | None) -> None:
        self.inputs = inputs
        self.ids = tuple(f"example-{index}" for index in range(len(inputs)))
        self.targets = targets
        self.classes = () if targets is None else tuple(f"class {k}" for k in range(targets.max() + 1))
        self.fingerprint = "points"

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        return self.inputs[list(indices)]

    def context(self, index: int, position: int = 0) -> Context:
        return Context("", b"")


def dense(*widths: int, seed: int = 0, unit: type[nn.Module] = nn.ReLU) -> nn.Module:
    """A network of these widths; its units are `1`, `3`, ..."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), unit()]
    return nn.Sequential(*layers[:-1]).eval().requires_grad_(requires_grad=False)


def probed(
    module: nn.Module, inputs: torch.Tensor, targets: np.ndarray | None = None, *, own: Rows | None = None
) -> tuple[Rows, Probed]:
    """Rows of the inputs themselves, and the network that is looked into."""
    examples = Points(inputs, targets)
    rows = Rows(
        layer="input",
        origins=Origins(
            np.arange(len(inputs), dtype=np.int64), np.zeros(len(inputs), np.int64), (), examples.ids
        ),
        activations=inputs.flatten(1).float().numpy(),
        targets=targets,
        classes=examples.classes,
    )
    network = Network("tiny", module, ImageFormat(channels=1, flatten=True), example_input=inputs[:1])
    return rows, Probed(network, examples, "input", own)


def probe(
    analysis: Probe, rows: Rows, at: Probed, *, upstream: Mapping[str, Findings] | None = None, seed: int = 0
) -> Findings:
    """Runs a probe as the study does."""
    return analysis.probe(rows, at, Work(Streams(seed).child(analysis.kind()), upstream or {}))
