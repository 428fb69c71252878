"""Images in one folder per class."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from polylens.datasets import Opening
from polylens.datasets._on_disk import OnDisk
from polylens.plugin import OnceEach
from polylens.records import Examples, InputFormat


class ImageFolder(OnDisk):
    """Images in one folder per class, drawn with the seed.

    The class is the first folder below `root`, or the folders down to `class_depth`. Files that are no images
    by their ending, hidden ones, those that lie less deep, classes that were not chosen and class folders
    without an image are counted and named. Every drawn image is decoded once before any number is computed:
    what is broken is left out, counted and named as well, and another image is drawn in its place.
    Of animations the first picture is taken.
    """

    carries: ClassVar[frozenset[str] | None] = frozenset({"classes"})

    root: str
    """The folder that holds the class folders, relative to the project's data root."""
    class_depth: int = Field(default=1, ge=1)
    """How many folders below `root` make the class: with 2, `animals/birds/owl.png` is of `animals/birds`.
    Images that lie less deep are left out."""
    classes: OnceEach[str] | None = Field(default=None, min_length=1)
    """Which classes are taken; left out, all."""
    per_class: int | None = Field(default=None, ge=1)
    """At most so many images of each class, drawn with the seed; with `train_fraction` of each part."""
    obtain: str | None = None
    """What the error says where `root` is missing, such as a command that installs the images. Never run."""
    examples: int | None = Field(default=None, ge=1)
    """How many images are drawn; left out, all of them."""
    draw: Literal["stratified", "uniform"] = "stratified"
    """`stratified` draws the classes in their proportions, `uniform` draws every image with equal chance."""
    train_fraction: float | None = Field(default=None, gt=0, lt=1)
    """Share of each class kept for training a network here, and never drawn otherwise; left out, none."""

    def identity(self) -> dict[str, Any]:
        """Everything but where it lies and how it is had: the contents are in the examples' fingerprint."""
        return {key: value for key, value in super().identity().items() if key != "obtain"}

    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The drawn images as inputs in `input_format`, sorted by their path.

        Raises:
            DataError: there is no such folder or class, it holds fewer images than asked for, or none can be
                read.
            UsageError: training examples are asked for and none are kept.
        """
        from polylens.datasets.image_folder.examples import image_folder_examples

        return image_folder_examples(
            self,
            input_format,
            streams=opening.streams,
            root=opening.root,
            limit=opening.limit,
            split=opening.split,
            cache=opening.cache,
            progress=opening.progress,
        )
