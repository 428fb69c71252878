"""What an EfficientNet-Lite is made of: numbers alone, so that specs are checked without torch.

Source: Tan and Le 2019, arXiv 1905.11946; the Lite variants' numbers are those of tensorflow/tpu,
`models/official/efficientnet/lite/efficientnet_lite_builder.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Literal

Variant = Literal["lite0", "lite1", "lite2"]
STEM, HEAD, CLASSES = 32, 1280, 1000
"""Channels before the first block and after the last one, which no variant scales; logits."""


@dataclass(frozen=True)
class Scale:
    """How much wider and deeper a variant is than the plain network, and its images."""

    width: float
    depth: float
    side: int
    """Pixels of a side of an image."""


SCALES: dict[Variant, Scale] = {
    "lite0": Scale(1.0, 1.0, 224),
    "lite1": Scale(1.0, 1.1, 240),
    "lite2": Scale(1.1, 1.2, 260),
}


@dataclass(frozen=True)
class Block:
    """One block: 1 x 1 convolution to more channels, depthwise convolution, 1 x 1 convolution to fewer."""

    inputs: int
    outputs: int
    kernel: int
    stride: int
    expand: int
    """How many times as many channels as inputs there are inside; 1 leaves the first convolution out."""
    side: int
    """Height and width of its input."""

    @property
    def hidden(self) -> int:
        """Channels inside."""
        return self.inputs * self.expand

    @property
    def is_residual(self) -> bool:
        """Whether its input is added to its output."""
        return self.stride == 1 and self.inputs == self.outputs


_STAGES = (
    # repeats, kernel, stride, expand, outputs
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def blocks(variant: Variant) -> Iterator[Block]:
    """All blocks, first to last.

    >>> [len(list(blocks(variant))) for variant in ("lite0", "lite1", "lite2")]
    [16, 21, 21]
    """
    scale = SCALES[variant]
    inputs, side = STEM, ceil(scale.side / 2)
    for number, (repeats, kernel, stride, expand, channels) in enumerate(_STAGES):
        outputs = _channels(channels * scale.width)
        is_end = number in (0, len(_STAGES) - 1)  # these are never repeated more often
        for repeat in range(repeats if is_end else ceil(repeats * scale.depth)):
            step = stride if repeat == 0 else 1
            yield Block(inputs, outputs, kernel, step, expand, side)
            inputs, side = outputs, ceil(side / step)


def padding(side: int, *, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side, as TensorFlow's `SAME` has them: the odd one after.

    >>> padding(224, kernel=3, stride=2), padding(65, kernel=3, stride=2), padding(7, kernel=5, stride=1)
    ((0, 1), (1, 1), (2, 2))
    """
    total = max((ceil(side / stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def _channels(count: float) -> int:
    """The nearest multiple of 8, and no less than 90 % of what was asked for."""
    rounded = max(8, int(count + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * count else rounded
