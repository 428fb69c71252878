"""Images drawn from a folder, as examples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from polylens.datasets._formats import for_images
from polylens.datasets._images import PREPARATION, decode, prepare, scaled_size, thumbnail
from polylens.datasets.image_folder.checks import Check, Checks
from polylens.datasets.image_folder.drawing import drawing, targets_of
from polylens.datasets.image_folder.listing import ImageFile, Listing, list_images
from polylens.digests import digest
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Context, Examples, ImageFormat, InputFormat, Skipped
from polylens.streams import Streams

if TYPE_CHECKING:
    import torch

    from polylens.datasets.image_folder import ImageFolder

_MOST_PIXELS = 100_000_000
"""A sliver of an image, resized by its shorter side, would grow beyond this."""


def image_folder_examples(
    dataset: ImageFolder,
    input_format: InputFormat,
    *,
    streams: Streams,
    root: Path,
    limit: int | None,
    split: Literal["train"] | None,
    cache: Path | None,
    progress: Progress | None,
) -> Examples:
    """The drawn images as inputs in `input_format`, sorted by their path.

    Raises:
        DataError: there is no such folder or class, or fewer images than asked for, or none can be read.
        UsageError: training examples are asked for and none are kept.
    """
    image_format = for_images(input_format, dataset=dataset.kind())
    folder = root / dataset.root
    listing = list_images(folder, depth=dataset.class_depth, chosen=dataset.classes, obtain=dataset.obtain)
    draw = drawing(dataset, listing, streams=streams, split=split, limit=limit, folder=folder)
    checks = Checks(folder, cache=cache, progress=progress)
    chosen: list[_Chosen] = []
    skipped = list(listing.skipped)
    while files := draw.next_files():
        for file, check in zip(files, checks.of(files), strict=True):
            problem = check.problem or _too_long(check, image_format)
            if problem:
                skipped.append(Skipped(file.id, problem))
            else:
                chosen.append(_Chosen(file, check.sha256))
                draw.take(file)
    if not chosen:
        first = skipped[-1]
        raise DataError(
            f"none of {draw.tried} images in {folder} can be read; {first.example_id}: {first.reason}",
            hint="check that the files were copied whole",
        )
    return _FolderExamples(chosen, listing=listing, skipped=skipped, image_format=image_format)


@dataclass(frozen=True)
class _Chosen:
    file: ImageFile
    sha256: str


class _FolderExamples(Examples):
    def __init__(
        self,
        chosen: Sequence[_Chosen],
        *,
        listing: Listing,
        skipped: Sequence[Skipped],
        image_format: ImageFormat,
    ) -> None:
        self._chosen = tuple(sorted(chosen, key=lambda item: item.file.id))
        self._format = image_format
        self.ids = tuple(item.file.id for item in self._chosen)
        self.targets = targets_of([item.file for item in self._chosen])
        self.classes = listing.classes
        self.skipped = tuple(skipped)
        self.fingerprint = digest(
            {
                "files": [[item.file.id, item.sha256] for item in self._chosen],
                "classes": list(self.classes),
                "format": image_format.to_plain(),
                "preparation": PREPARATION,
            }
        )

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        import torch  # a run that finds everything stored asks for no batch

        inputs = [prepare(self._image(index), self._format) for index in indices]
        for index, item in zip(indices, inputs, strict=True):
            if item.shape != inputs[0].shape:
                shapes = " and ".join(" x ".join(map(str, one.shape)) for one in (inputs[0], item))
                raise DataError(
                    f"images differ in size ({self.ids[indices[0]]}, {self.ids[index]}: {shapes}), "
                    "and the model takes them as they are",
                    hint="give the model an image_size, or bring the files to one size",
                )
        return torch.from_numpy(np.stack(inputs))

    def context(self, index: int, position: int = 0) -> Context:
        item = self._chosen[index].file
        return Context(
            title=f"{self.classes[item.target]} · {item.path.name}",
            png=thumbnail(self._image(index), enlarge=True),
        )

    def _image(self, index: int) -> Image.Image:
        item = self._chosen[index]
        try:
            content = item.file.path.read_bytes()
        except OSError as error:
            raise DataError(f"{item.file.path} cannot be read any more: {error.strerror}") from None
        if hashlib.sha256(content).hexdigest() != item.sha256:
            # Numbers from it would be stored under the digest of what the file was.
            raise DataError(
                f"{item.file.path} changed while it was in use", hint="run the same command again"
            )
        return decode(content, ending=item.file.path.suffix)


def _too_long(check: Check, image_format: ImageFormat) -> str:
    width, height = scaled_size((check.width, check.height), image_format)
    if width * height <= _MOST_PIXELS:
        return ""
    return f"{check.width} x {check.height} pixels are too narrow to be resized"
