"""timm's networks, with weights of the hub, of a file, or fresh."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from polylens.models import Model
from polylens.progress import Progress
from polylens.records import ImageFormat

if TYPE_CHECKING:
    import torch

_COMMIT = re.compile(r"[0-9a-f]{40}")


class WeightsFile(BaseModel):
    """Weights in a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    file: str
    """A state dict (`.safetensors`, `.pt`, `.pth`), relative to the project."""


def _form(value: Any) -> str:
    return "hub" if isinstance(value, str) else "file"


class Timm(Model):
    """A network of timm, PyTorch Image Models (the extra `timm`).

    Images are prepared as timm's own data config of the name says: scaled, cropped about the centre and
    normalised as the published weights want them. Weights of the hub are read from safetensors, those of a
    file as tensors alone. Fresh weights are timm's own initialisation, drawn from the seed.
    """

    name: str = Field(examples=["resnet18.a1_in1k"])
    """The network's name in timm, such as `resnet18`, or with the tag of its weights, `resnet18.a1_in1k`;
    without a tag it is that of timm's default weights."""
    weights: (
        Annotated[
            Annotated[Literal["hub"], Tag("hub")] | Annotated[WeightsFile, Tag("file")], Discriminator(_form)
        ]
        | None
    ) = None
    """`hub` (with its `revision`), `{file: ...}`, or none for fresh weights."""
    revision: str | None = None
    """The hub's commit, 40 digits; only with `weights: hub`."""
    classes: int | None = Field(default=None, ge=1)
    """Number of logits; left out, that of the published weights."""
    image_size: int | None = Field(default=None, ge=8)
    """Side of the centre crop in pixels; left out, the weights' own. The shorter side is scaled along."""
    layer_aliases: dict[str, str] = Field(default_factory=dict)
    """Short layer names and the module path each stands for."""

    @model_validator(mode="after")
    def _the_revision_is_a_commit_of_the_hub(self) -> Self:
        if self.weights == "hub" and self.revision is None:
            raise PydanticCustomError(
                "revision_missing", "weights: hub needs the `revision`: a commit's 40 hexadecimal digits"
            )
        if self.weights != "hub" and self.revision is not None:
            raise PydanticCustomError("revision_idle", "revision is only for weights: hub")
        if self.revision is not None and not _COMMIT.fullmatch(self.revision):
            raise PydanticCustomError(
                "revision_moves",
                "revision must be a commit's 40 hexadecimal digits, not '{revision}': branches and tags move",
                {"revision": self.revision},
            )
        return self

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with timm's own initialisation drawn from `generator`, in eval mode.

        Raises:
            DataError: timm is not installed.
            UsageError: it has no such network.
        """
        from polylens.models.timm.builders import build

        return build(self.name, classes=self.classes, generator=generator)

    def load(
        self, module: torch.nn.Module, *, root: Path, progress: Progress | None = None
    ) -> torch.nn.Module:
        """The network with the weights of the hub or of the file put in.

        Raises:
            DataError: they cannot be had or do not fit; says what to do.
        """
        from polylens.models._weights_file import in_groups, put_into, read
        from polylens.models.timm.builders import hub_file

        if self.weights is None:
            return module.eval()
        if isinstance(self.weights, WeightsFile):
            path, source = root / self.weights.file, self.weights.file
        else:
            assert self.revision is not None
            path, source = hub_file(self.name, revision=self.revision), f"{self.name} of the hub"
        beside = put_into(module, read(path), source=source)
        if beside and progress is not None:
            progress.note(f"left out of {source}, as none of the network's: {in_groups(beside)}")
        return module.eval()

    def input_format(self) -> ImageFormat:
        """Channels x height x width, prepared as timm's data config says.

        Raises:
            DataError: timm is not installed, or squeezes or pads images of this network.
            UsageError: it has no such network.
        """
        from polylens.models.timm.builders import image_format

        return image_format(self.name, image_size=self.image_size)

    def input_shape(self) -> tuple[int, ...]:
        """Channels, height, width."""
        own = self.input_format()
        assert own.crop is not None
        return (own.channels, *own.crop)

    def aliases(self) -> Mapping[str, str]:
        """The `layer_aliases`."""
        return self.layer_aliases

    def weights_digest(self, *, root: Path) -> str:
        """The hub's commit, or the file's sha256; else empty.

        Raises:
            DataError: the file does not exist.
        """
        if isinstance(self.weights, WeightsFile):
            from polylens.models._weights_file import sha256

            return sha256(root / self.weights.file)
        return self.revision or ""

    def identity(self) -> dict[str, Any]:
        """Everything that can change a number: not layer names, and no path of a file."""
        plain = super().identity()
        del plain["layer_aliases"]
        return {**plain, "weights": "file" if isinstance(self.weights, WeightsFile) else self.weights}

    def missing(self, *, root: Path) -> Path | None:
        """The file of weights, where it is not on this machine."""
        if not isinstance(self.weights, WeightsFile):
            return None
        file = root / self.weights.file
        return None if file.exists() else file

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        if self.weights is None:
            return super().weights_in_words()
        if isinstance(self.weights, WeightsFile):
            return f"from {self.weights.file}"
        return f"published for timm on the hub, {self.name} at {self.revision}"

    def untrained(self) -> Self:
        """This network and preprocessing with fresh weights."""
        return self.model_copy(update={"weights": None, "revision": None})

    def at_revision(self, revision: str) -> Self | None:
        """This model at another commit; None where its weights are not of the hub."""
        return self.model_copy(update={"revision": revision}) if self.weights == "hub" else None
