"""Networks and examples: what the plugin families hand to each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ImageFormat:
    """How an image becomes a network's input. Part of the network, and of every digest that depends on it."""

    channels: int = 1
    """1 (grey) or 3 (RGB)."""
    resize: int | None = None
    """Pixels the shorter side is brought to (antialiased, `interpolation`); None leaves the size alone."""
    crop: tuple[int, int] | None = None
    """Height and width of the centre crop after resizing."""
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = ()
    """Subtracted per channel, from pixels in [0, 1]."""
    std: tuple[float, ...] = ()
    flatten: bool = False
    """Whether the input is a vector (for dense networks) rather than channels x height x width."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for digests."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Network:
    """A network in eval mode, ready to be harvested."""

    name: str
    module: torch.nn.Module
    image_format: ImageFormat
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Short layer names, such as `inception4c`, and the module path each stands for."""
    example_input: torch.Tensor | None = None
    """A batch of one input of the right shape, where the configuration knows it."""


@dataclass(frozen=True)
class Context:
    """What a person is shown of one example: an image."""

    title: str
    png: bytes


@dataclass(frozen=True)
class Skipped:
    """An example that was left out, and why."""

    example_id: str
    reason: str


class Examples(ABC):
    """The examples of one dataset, prepared for one network. Map-style: any index, any order, any process."""

    ids: tuple[str, ...]
    """Stable ids, one an example."""
    targets: Int64[np.ndarray, "examples"] | None
    """Class of each example, an index into `classes`; None where the dataset has no classes."""
    classes: tuple[str, ...]
    fingerprint: str
    """Digest of the contents and of all that prepares them."""
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @abstractmethod
    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        """The inputs of these examples as one float32 tensor `examples ...`, on the CPU."""

    @abstractmethod
    def context(self, index: int) -> Context:
        """What a person is shown of example `index`."""
