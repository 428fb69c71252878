"""Networks in ONNX files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from polylens.errors import DataError
from polylens.models import Model
from polylens.progress import Progress
from polylens.records import ImageFormat

if TYPE_CHECKING:
    import torch


class Preparation(BaseModel):
    """How pixels between 0 and 1 become the numbers that a network was trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    resize: int | None = Field(default=None, ge=1)
    """Pixels that the shorter side is brought to before the crop; left out, the longer side of the input."""
    interpolation: Literal["bilinear", "bicubic", "nearest"] = "bilinear"
    """How it is scaled."""
    mean: tuple[float, ...] = Field(default=(), strict=False)
    """Subtracted, one number a channel; none for 0."""
    std: tuple[float, ...] = Field(default=(), strict=False)
    """Divided by, one number a channel; none for 1. `[0.00392156862745098]` gives pixels from 0 to 255."""


class Onnx(Model):
    """A network in an ONNX file, converted to PyTorch by onnx2pytorch (the extra `onnx`).

    It takes 32-bit numbers: images, channels first (batch x channels x height x width), or vectors (batch x
    width). An ONNX file does not say how its inputs are prepared: `preparation` does, and an image is cut to
    the input's height and width. When it is loaded, the network's outputs are held against those of the ONNX
    runtime, and one that differs by more than rounding is refused. Layers are the nodes of the file by their
    names. Fresh weights are drawn by PyTorch's rules for each kind of layer.
    """

    file: str = Field(examples=["networks/mine.onnx"])
    """The file, relative to the project. Weights in files beside it are read, too."""
    preparation: Preparation = Preparation()
    """What becomes of an image's pixels; left out, they stay between 0 and 1."""
    shape: tuple[int, ...] | None = None
    """Shape of one input, where the file leaves it open: channels, height and width, or the width of a
    vector."""
    output: str | None = None
    """Which of several outputs is the network's; what only others need is left out."""
    weights: Literal["own", "fresh"] = "own"
    """`own` are the file's; `fresh` are drawn from the seed."""
    layer_aliases: dict[str, str] = Field(default_factory=dict)
    """Short layer names and the module path each stands for."""

    def locate(self, find: Callable[[str], Path]) -> Self:
        """This model with a relative file looked up by `find`."""
        if Path(self.file).is_absolute():
            return self
        return self.model_copy(update={"file": str(find(self.file) / self.file)})

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The converted network in eval mode, with the file's weights or ones drawn from `generator`.

        Raises:
            DataError: the file cannot be read or converted, or a package is missing; says what to do.
            UsageError: fresh weights are asked for, and not all can be drawn anew; says which.
        """
        import torch

        from polylens.models.onnx.conversion import convert
        from polylens.modules import draw_anew

        module = convert(Path(self.file), output=self.output)
        if self.weights == "own":
            return module
        return draw_anew(module, seed=int(torch.randint(2**62, (1,), generator=generator)))

    def load(
        self, module: torch.nn.Module, *, root: Path, progress: Progress | None = None
    ) -> torch.nn.Module:
        """The network, once its outputs are those that the ONNX runtime computes from the file.

        Raises:
            DataError: they are not.
        """
        if self.weights == "own":
            from polylens.models.onnx.agreement import check

            check(module, Path(self.file), output=self.output, shape=self.input_shape())
        return module

    def skeleton(self, generator: torch.Generator) -> torch.nn.Module:
        """The converted network as it is in the file: its weights are there, and may not be drawn anew."""
        return self.model_copy(update={"weights": "own"}).build(generator)

    def input_format(self) -> ImageFormat:
        """Images cut to the input's height and width, or vectors; pixels as `preparation` says.

        Raises:
            DataError: the file cannot be read, or takes neither images nor vectors.
        """
        shape, prepared = self.input_shape(), self.preparation
        channels = shape[0] if len(shape) == 3 else 1
        for name, values in (("mean", prepared.mean), ("std", prepared.std)):
            if values and len(values) != channels:
                raise DataError(f"preparation.{name} has {len(values)} numbers for {channels} channels")
        return ImageFormat(
            channels=channels,
            resize=(prepared.resize or max(shape[1:])) if len(shape) == 3 else prepared.resize,
            crop=shape[1:] if len(shape) == 3 else None,
            interpolation=prepared.interpolation,
            mean=prepared.mean,
            std=prepared.std,
            flatten=len(shape) == 1,
        )

    def input_shape(self) -> tuple[int, ...]:
        """Channels, height, width; or the width of a vector.

        Raises:
            DataError: the file cannot be read, leaves the shape open, or takes neither images nor vectors.
        """
        from polylens.models.onnx.files import input_of, one_shape

        return one_shape(input_of(Path(self.file)), asked=self.shape, file=self.file)

    def aliases(self) -> Mapping[str, str]:
        """The `layer_aliases`."""
        return self.layer_aliases

    def missing(self, *, root: Path) -> Path | None:
        """The file, where it is not on this machine."""
        file = root / self.file
        return None if file.is_file() else file

    def weights_digest(self, *, root: Path) -> str:
        """The sha256 of the file and of the files beside it that hold its weights.

        Raises:
            DataError: one of them does not exist.
        """
        from polylens.models.onnx.files import digest_of

        return digest_of(root / self.file)

    def identity(self) -> dict[str, Any]:
        """Everything that can change a number: not layer names, and not the file's path."""
        plain = super().identity()
        del plain["layer_aliases"], plain["file"]
        return plain

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        return super().weights_in_words() if self.weights == "fresh" else f"from {self.file}"

    def untrained(self) -> Self:
        """This architecture and preparation with fresh weights."""
        return self.model_copy(update={"weights": "fresh"})
