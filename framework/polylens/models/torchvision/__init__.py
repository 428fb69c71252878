"""torchvision's classification networks, with published, local or fresh weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from polylens.errors import nearest
from polylens.models import Model
from polylens.models.torchvision.published import published_weights
from polylens.progress import Progress
from polylens.records import ImageFormat

if TYPE_CHECKING:
    import torch


class LocalWeights(BaseModel):
    """Weights in a file, and the published weights whose preprocessing they expect."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    file: str | None = None
    """A state dict (`.safetensors`, `.pt`, `.pth`), relative to the project; none for fresh weights."""
    preset: str | None = None
    """Name of published weights, such as IMAGENET1K_V1: images are prepared as those expect."""


def _form(value: Any) -> str:
    return "published" if isinstance(value, str) else "local"


class Torchvision(Model):
    """A classification network of torchvision.

    Auxiliary heads are left out. Images are prepared as the chosen weights' own transforms do; without
    weights as is usual for ImageNet (shorter side 256, centre crop 224, normalised). Fresh weights are
    torchvision's own initialisation, drawn from the seed.
    """

    version: ClassVar[int] = 2

    name: str = Field(examples=["googlenet"])
    """The network's name in torchvision, such as `googlenet`."""
    weights: (
        Annotated[
            Annotated[str, Tag("published")] | Annotated[LocalWeights, Tag("local")],
            Discriminator(_form),
        ]
        | None
    ) = None
    """A published name such as IMAGENET1K_V1, `{file: ..., preset: ...}`, or none for fresh weights."""
    classes: int = Field(default=1000, ge=2)
    """Number of logits; 1000 for published weights."""
    image_size: int | None = Field(default=None, ge=8)
    """Side of the centre crop in pixels; left out, the weights' own. The shorter side is scaled along."""
    layer_aliases: dict[str, str] = Field(default_factory=dict)
    """Short layer names and the module path each stands for."""

    @field_validator("name")
    @classmethod
    def _name_is_known(cls, name: str) -> str:
        known = published_weights()
        if known and name not in known:
            raise _unknown("network", name, known=tuple(known))
        return name

    @field_validator("weights")
    @classmethod
    def _weights_are_known(
        cls, weights: str | LocalWeights | None, info: ValidationInfo
    ) -> str | LocalWeights | None:
        network = info.data.get("name", "")
        known = published_weights().get(network)
        name = weights.preset if isinstance(weights, LocalWeights) else weights
        if name is not None and known and name not in known:
            raise _unknown(f"weights of {network}", name, known=known)
        return weights

    @model_validator(mode="after")
    def _published_weights_have_their_classes(self) -> Self:
        if isinstance(self.weights, str) and self.classes != 1000:
            raise PydanticCustomError("classes_differ", "published weights have 1000 classes")
        return self

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with torchvision's own initialisation drawn from `generator`, in eval mode."""
        from polylens.models.torchvision.builders import build

        return build(
            self.name,
            preset=self._preset(),
            classes=self.classes,
            image_size=self.image_size,
            generator=generator,
        )

    def load(
        self, module: torch.nn.Module, *, root: Path, progress: Progress | None = None
    ) -> torch.nn.Module:
        """The network with its published or local weights put in.

        Raises:
            DataError: they cannot be had or do not fit; says what to do.
        """
        from polylens.models._weights_file import in_groups, put_into, read
        from polylens.models.torchvision.builders import download

        if isinstance(self.weights, str):
            state = download(self.name, weights=self.weights)
            put_into(module, state, source=f"{self.name}'s published weights {self.weights}")
        elif self.weights is not None and self.weights.file is not None:
            path = root / self.weights.file
            beside = put_into(module, read(path), source=str(self.weights.file))
            if beside and progress is not None:
                progress.note(
                    f"left out of {self.weights.file}, as none of the network's: {in_groups(beside)}"
                )
        return module.eval()

    def input_format(self) -> ImageFormat:
        """Channels x height x width, prepared as the weights expect."""
        if self._preset() is None:
            published = ImageFormat(
                channels=3, resize=256, crop=(224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
            )
        else:
            from polylens.models.torchvision.builders import published_format

            published = published_format(self.name, weights=str(self._preset()))
        return published if self.image_size is None else _resize(published, self.image_size)

    def input_shape(self) -> tuple[int, ...]:
        """Channels, height, width."""
        image_format = self.input_format()
        assert image_format.crop is not None  # every preset crops
        return (image_format.channels, *image_format.crop)

    def aliases(self) -> Mapping[str, str]:
        """The `layer_aliases`."""
        return self.layer_aliases

    def output_names(self) -> tuple[str, ...]:
        """The classes that the published weights were trained on; of other weights they are not known."""
        if not isinstance(self.weights, str):
            return ()
        from polylens.models.torchvision.builders import weights_record

        return tuple(weights_record(self.name, weights=self.weights).meta["categories"])

    def weights_digest(self, *, root: Path) -> str:
        """The published file's name, which carries a hash, or the local file's sha256; else empty.

        Raises:
            DataError: the local file does not exist.
        """
        if isinstance(self.weights, str):
            from polylens.models.torchvision.builders import published_file

            return published_file(self.name, weights=self.weights)
        if self.weights is None or self.weights.file is None:
            return ""
        from polylens.models._weights_file import sha256

        return sha256(root / self.weights.file)

    def identity(self) -> dict[str, Any]:
        """Everything that can change a number: not layer names, and no path of a file."""
        plain = super().identity()
        del plain["layer_aliases"]
        source = "fresh" if self._is_fresh() else "published" if isinstance(self.weights, str) else "file"
        return {**plain, "weights": {"source": source, "preset": self._preset()}}

    def missing(self, *, root: Path) -> Path | None:
        """The file of weights, where it is not on this machine."""
        if not isinstance(self.weights, LocalWeights) or self.weights.file is None:
            return None
        file = root / self.weights.file
        return None if file.exists() else file

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        if isinstance(self.weights, str):
            return f"published by torchvision, {self.weights}"
        if self.weights is None or self.weights.file is None:
            return super().weights_in_words()
        return f"from {self.weights.file}"

    def untrained(self) -> Self:
        """This network and preprocessing with fresh weights."""
        preset = self._preset()
        return self.model_copy(update={"weights": None if preset is None else LocalWeights(preset=preset)})

    def _preset(self) -> str | None:
        return self.weights.preset if isinstance(self.weights, LocalWeights) else self.weights

    def _is_fresh(self) -> bool:
        return self.weights is None or (isinstance(self.weights, LocalWeights) and self.weights.file is None)


def _unknown(what: str, name: str, *, known: tuple[str, ...]) -> PydanticCustomError:
    close = nearest(name, known)
    guess = "" if close is None else f"; did you mean '{close}'?"
    return PydanticCustomError(
        "name_unknown",
        "torchvision has no {what} named '{name}'{guess}",
        {"what": what, "name": name, "guess": guess, "suggestion": close, "known": ", ".join(known)},
    )


def _resize(image_format: ImageFormat, size: int) -> ImageFormat:
    """A format that crops to `size` pixels, with the shorter side in the old proportion to the crop."""
    assert image_format.crop is not None
    assert image_format.resize is not None
    resize = round(image_format.resize * size / image_format.crop[0])
    return replace(image_format, resize=resize, crop=(size, size))
