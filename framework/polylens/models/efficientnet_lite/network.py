"""EfficientNet-Lite as a module: convolutions, batch norms, ReLU6, residual sums, one mean over positions.

Modules have the names of the published weights, and each ReLU6 is a module of its own, so that each is a
layer of its own.
"""

from __future__ import annotations

import torch
from torch import nn

from polylens.models.efficientnet_lite.plan import (
    CLASSES,
    HEAD,
    SCALES,
    STEM,
    Block,
    Variant,
    blocks,
    padding,
)


class InvertedBlock(nn.Module):
    """A block with more channels inside than outside, and no nonlinearity at its end.

    Source: Sandler et al. 2018, MobileNetV2, arXiv 1801.04381, where it is called an inverted residual.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        self._is_residual = block.is_residual
        if block.expand > 1:
            self._expand_conv = nn.Conv2d(block.inputs, block.hidden, 1, bias=False)
            self._bn0 = _norm(block.hidden)
            self._relu0 = nn.ReLU6()
        self._pad = _padded(block.side, kernel=block.kernel, stride=block.stride)
        self._depthwise_conv = nn.Conv2d(
            block.hidden, block.hidden, block.kernel, stride=block.stride, groups=block.hidden, bias=False
        )
        self._bn1 = _norm(block.hidden)
        self._relu1 = nn.ReLU6()
        self._project_conv = nn.Conv2d(block.hidden, block.outputs, 1, bias=False)
        self._bn2 = _norm(block.outputs)
        self._expands = block.expand > 1

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`batch outputs height width`; height and width are divided by the stride, rounded up."""
        inside = self._relu0(self._bn0(self._expand_conv(images))) if self._expands else images
        inside = self._relu1(self._bn1(self._depthwise_conv(self._pad(inside))))
        outputs: torch.Tensor = self._bn2(self._project_conv(inside))
        return outputs + images if self._is_residual else outputs


class EfficientNetLite(nn.Module):
    """The stem, `_blocks.0` and on, the head, the mean over positions (`_flatten`) and the logits (`_fc`)."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        plan = tuple(blocks(variant))
        self._pad = _padded(SCALES[variant].side, kernel=3, stride=2)
        self._conv_stem = nn.Conv2d(3, STEM, 3, stride=2, bias=False)
        self._bn0 = _norm(STEM)
        self._relu0 = nn.ReLU6()
        self._blocks = nn.ModuleList(InvertedBlock(block) for block in plan)
        self._conv_head = nn.Conv2d(plan[-1].outputs, HEAD, 1, bias=False)
        self._bn1 = _norm(HEAD)
        self._relu1 = nn.ReLU6()
        self._avg_pooling = nn.AdaptiveAvgPool2d(1)
        self._flatten = nn.Flatten()
        self._fc = nn.Linear(HEAD, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `batch 1000` of images `batch 3 side side`."""
        tensor = self._relu0(self._bn0(self._conv_stem(self._pad(images))))
        for block in self._blocks:
            tensor = block(tensor)
        tensor = self._relu1(self._bn1(self._conv_head(tensor)))
        logits: torch.Tensor = self._fc(self._flatten(self._avg_pooling(tensor)))
        return logits


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _padded(side: int, *, kernel: int, stride: int) -> nn.ZeroPad2d:
    before, after = padding(side, kernel=kernel, stride=stride)
    return nn.ZeroPad2d((before, after, before, after))
