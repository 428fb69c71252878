"""Images in one folder per class."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from polylens.datasets import Opening
from polylens.datasets._on_disk import OnDisk
from polylens.records import Examples, InputFormat


class ImageFolder(OnDisk):
    """Images in one folder per class, drawn with the seed.

    The class is the first folder below `root`. Files that are no images by their ending, hidden ones and
    class folders without an image are counted and named. Every drawn image is decoded once before any number
    is computed: what is broken is left out, counted and named as well, and another image is drawn in its
    place. Of animations the first picture is taken.
    """

    carries: ClassVar[frozenset[str] | None] = frozenset({"classes"})

    root: str
    """The folder that holds the class folders, relative to the project's data root."""
    examples: int | None = Field(default=None, ge=1)
    """How many images are drawn; left out, all of them."""
    draw: Literal["stratified", "uniform"] = "stratified"
    """`stratified` draws the classes in their proportions, `uniform` draws every image with equal chance."""
    train_fraction: float | None = Field(default=None, gt=0, lt=1)
    """Share of each class kept for training a network here, and never drawn otherwise; left out, none."""

    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The drawn images as inputs in `input_format`, sorted by their path.

        Raises:
            DataError: there is no such folder, it holds fewer images than asked for, or none can be read.
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
