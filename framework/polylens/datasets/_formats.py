"""A dataset of one sort meets a network that takes one sort: images or text."""

from __future__ import annotations

from polylens.errors import UsageError
from polylens.records import ImageFormat, InputFormat, TextFormat


def for_images(input_format: InputFormat, *, dataset: str) -> ImageFormat:
    """The format, which has to be one of images.

    Raises:
        UsageError: the network takes text.
    """
    if isinstance(input_format, ImageFormat):
        return input_format
    raise UsageError(
        f"the model takes text, and the dataset ({dataset}) holds images",
        hint="take a dataset of text, such as python_manual or text_files, or a model of images",
    )


def for_text(input_format: InputFormat, *, dataset: str) -> TextFormat:
    """The format, which has to be one of text.

    Raises:
        UsageError: the network takes images.
    """
    if isinstance(input_format, TextFormat):
        return input_format
    raise UsageError(
        f"the model takes images, and the dataset ({dataset}) holds text",
        hint="take a dataset of images, such as digits or image_folder, or a language model",
    )
