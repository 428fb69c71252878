"""A small convolutional network, trained here or left as it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from polylens.models import Training
from polylens.models._activations import Activation
from polylens.models._trained_here import TrainedHere
from polylens.records import ImageFormat

if TYPE_CHECKING:
    import torch

Count = Annotated[int, Field(ge=1)]


class Cnn(TrainedHere):
    """Blocks of convolution and nonlinearity, pooling between them, and one dense layer for the logits.

    Layers are named `block.1`, `block.2`, ... (outputs of the nonlinearity), `block.1.conv`,
    `block.1.norm`, `block.1.activation`, `pool.1` (behind block 1), `head` and `output`; residual blocks
    also have `block.1.first` (with `conv`, `norm` and `activation` of its own) and `block.1.shortcut`.
    Convolutions are padded, so height and width change only where a block is pooled. Fresh weights are
    He-normal, fresh biases zero.
    """

    image_size: int = Field(ge=1)
    """Side of the square images in pixels; larger or smaller images are resized and cropped to it."""
    image_channels: Literal[1, 3] = 1
    """1 for grey, 3 for colour."""
    channels: tuple[Count, ...] = Field(min_length=1)
    """Channels of each block, first to last."""
    kernel: int = Field(default=3, ge=1)
    """Side of the convolutions' kernels; odd."""
    classes: int = Field(ge=2)
    """Number of logits."""
    activation: Activation = "relu"
    """The nonlinearity of every block."""
    pool: Literal["max", "average", "none"] = "max"
    """What halves height and width behind a pooled block."""
    pool_after: tuple[Count, ...] | None = None
    """Which blocks are pooled, counted from 1; left out, all but the last."""
    norm: Literal["batch", "none"] = "none"
    """What follows each convolution."""
    residual: bool = False
    """Whether blocks have two convolutions beside a shortcut, summed before the last nonlinearity."""
    head: Literal["average", "flatten"] = "flatten"
    """How the last block becomes a vector: the mean over its positions, or all of them side by side."""
    training: Training | None = None
    """How the network is trained; left out, it keeps its fresh weights."""

    @field_validator("kernel")
    @classmethod
    def _kernel_is_odd(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise PydanticCustomError(
                "kernel_even", "kernel must be odd, so that padding keeps height and width"
            )
        return kernel

    @model_validator(mode="after")
    def _pools_fit(self) -> Self:
        if self.pool == "none" and self.pool_after:
            raise PydanticCustomError("pool_none", "pool_after names blocks to pool, but pool is none")
        if any(depth > len(self.channels) for depth in self.pool_after or ()):
            raise PydanticCustomError(
                "pool_after_missing_block",
                "pool_after names a block that does not exist; there are {blocks}",
                {"blocks": len(self.channels)},
            )
        if self._side() < 1:
            raise PydanticCustomError(
                "image_too_small",
                "an image of {size} x {size} cannot be halved {times} times",
                {"size": self.image_size, "times": len(self._pooled_layers())},
            )
        return self

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with fresh weights drawn from `generator`, in eval mode."""
        from polylens.models._fresh import he_normal
        from polylens.models.cnn.network import convolutional

        module = convolutional(
            image_channels=self.image_channels,
            channels=self.channels,
            kernel=self.kernel,
            residual=self.residual,
            norm=self.norm,
            activation=self.activation,
            pool=self.pool,
            pooled=self._pooled_layers(),
            head=self.head,
            positions=self._side() ** 2,
            classes=self.classes,
        )
        return he_normal(module, generator=generator).eval()

    def input_format(self) -> ImageFormat:
        """Square images with pixels in [0, 1]."""
        square = (self.image_size, self.image_size)
        return ImageFormat(channels=self.image_channels, resize=self.image_size, crop=square)

    def input_shape(self) -> tuple[int, ...]:
        """Channels, height, width."""
        return (self.image_channels, self.image_size, self.image_size)

    def layers(self) -> tuple[str, ...]:
        """Every layer, first to last."""
        pooled = set(self._pooled_layers())
        names: list[str] = []
        before: int = self.image_channels
        for depth, after in enumerate(self.channels, start=1):
            names += [f"block.{depth}{part}" for part in self._parts(before=before, after=after)]
            names += [f"pool.{depth}"] if depth in pooled else []
            before = after
        return (*names, "head", "output")

    def _pooled_layers(self) -> tuple[int, ...]:
        if self.pool == "none":
            return ()
        if self.pool_after is None:
            return tuple(range(1, len(self.channels)))
        return tuple(sorted(set(self.pool_after)))

    def _side(self) -> int:
        """Height and width behind the last block and its pool."""
        return self.image_size >> len(self._pooled_layers())

    def _parts(self, *, before: int, after: int) -> tuple[str, ...]:
        norm = (".norm",) if self.norm == "batch" else ()
        plain = (".conv", *norm, ".activation")
        if not self.residual:
            return ("", *plain)
        shortcut = () if before == after else (".shortcut",)
        return ("", ".first", *(f".first{part}" for part in plain), ".conv", *norm, *shortcut, ".activation")
