"""The module of a dense network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from polylens.models._activations import Activation, unit


def dense(inputs: int, *, hidden: Sequence[int], classes: int, activation: Activation) -> nn.Module:
    """Dense layers named `hidden.1` ... and `output`, on the meta device: weights are still to be drawn."""
    blocks: OrderedDict[str, nn.Module] = OrderedDict()
    width = inputs
    for depth, next_width in enumerate(hidden, start=1):
        linear = nn.Linear(width, next_width, device=torch.device("meta"))
        blocks[str(depth)] = nn.Sequential(OrderedDict(linear=linear, activation=unit(activation)))
        width = next_width
    output = nn.Linear(width, classes, device=torch.device("meta"))
    return nn.Sequential(OrderedDict(hidden=nn.Sequential(blocks), output=output))
