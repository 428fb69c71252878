"""The module of a small convolutional network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import nn

from polylens.models._activations import Activation, unit

Pool = Literal["max", "average", "none"]
"""How a block's output is halved in height and width, if at all."""
Norm = Literal["batch", "none"]
"""Whether each convolution is followed by a batch norm."""
Head = Literal["average", "flatten"]
"""How the last block's output becomes a vector: the mean over positions, or all positions side by side."""


class PlainBlock(nn.Module):
    """Convolution, batch norm where asked for, nonlinearity."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, norm: Norm, activation: Activation) -> None:
        super().__init__()
        self.conv = _convolution(inputs, outputs, kernel=kernel, norm=norm)
        self.norm = _norm(outputs, norm=norm)
        self.activation = unit(activation)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Post-activations."""
        post: torch.Tensor = self.activation(self.norm(self.conv(images)))
        return post


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, summed before the last nonlinearity (He et al. 2016, figure 2)."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, norm: Norm, activation: Activation) -> None:
        super().__init__()
        self.first = PlainBlock(inputs, outputs, kernel=kernel, norm=norm, activation=activation)
        self.conv = _convolution(outputs, outputs, kernel=kernel, norm=norm)
        self.norm = _norm(outputs, norm=norm)
        same = inputs == outputs
        self.shortcut = nn.Identity() if same else _convolution(inputs, outputs, kernel=1, norm="none")
        self.activation = unit(activation)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Post-activations."""
        change = self.norm(self.conv(self.first(images)))
        post: torch.Tensor = self.activation(change + self.shortcut(images))
        return post


class Convolutional(nn.Module):
    """Blocks named `block.1` ..., `pool.1` ... after those that are pooled, and `output` for the logits."""

    def __init__(
        self,
        *,
        blocks: Sequence[nn.Module],
        pools: Mapping[int, nn.Module],
        head: nn.Module,
        output: nn.Module,
    ):
        super().__init__()
        self.block = nn.ModuleDict({str(depth): block for depth, block in enumerate(blocks, start=1)})
        self.pool = nn.ModuleDict({str(depth): pool for depth, pool in pools.items()})
        self.head = head
        self.output = output

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits."""
        tensor = images
        for depth, block in self.block.items():
            tensor = block(tensor)
            if depth in self.pool:
                tensor = self.pool[depth](tensor)
        logits: torch.Tensor = self.output(self.head(tensor))
        return logits


def convolutional(
    *,
    image_channels: int,
    channels: Sequence[int],
    kernel: int,
    residual: bool,
    norm: Norm,
    activation: Activation,
    pool: Pool,
    pooled: Sequence[int],
    head: Head,
    positions: int,
    classes: int,
) -> nn.Module:
    """The network on the meta device: its weights are still to be drawn.

    Args:
        image_channels: channels of the input.
        channels: channels of each block.
        kernel: odd side of the convolutions' kernels, padded so that height and width stay.
        residual: whether blocks are residual.
        norm: after each convolution but the shortcuts'.
        activation: of every block.
        pool: what follows the blocks numbered in `pooled` (from 1).
        pooled: which blocks are pooled.
        head: what stands between the last block and the logits.
        positions: height times width after the last block, for `head: flatten`.
        classes: number of logits.
    """
    kind = ResidualBlock if residual else PlainBlock
    with torch.device("meta"):
        inputs = (image_channels, *channels[:-1])
        blocks = [
            kind(before, after, kernel=kernel, norm=norm, activation=activation)
            for before, after in zip(inputs, channels, strict=True)
        ]
        pools = {depth: nn.MaxPool2d(2) if pool == "max" else nn.AvgPool2d(2) for depth in pooled}
        average = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        width = channels[-1] * (1 if head == "average" else positions)
        return Convolutional(
            blocks=blocks,
            pools=pools,
            head=average if head == "average" else nn.Flatten(),
            output=nn.Linear(width, classes),
        )


def _convolution(inputs: int, outputs: int, *, kernel: int, norm: Norm) -> nn.Conv2d:
    # A batch norm has a bias of its own, which makes the convolution's idle.
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=norm == "none")


def _norm(channels: int, *, norm: Norm) -> nn.Module:
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()
