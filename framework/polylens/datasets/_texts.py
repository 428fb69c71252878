"""What the datasets of text share: how documents meet a language model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from polylens.datasets._formats import for_text
from polylens.errors import UsageError
from polylens.progress import Progress
from polylens.records import InputFormat, TextFormat
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.text import Documents, Packing, TextExamples

Encoding = Literal[
    "utf-8",
    "utf-16-le",
    "utf-16-be",
    "latin-1",
    "cp1250",
    "cp1251",
    "cp1252",
    "koi8-r",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "big5",
    "gb18030",
]
"""Encodings in which the bytes of a line's end are never part of another letter."""


def text_format_of(
    input_format: InputFormat, *, dataset: str, context: int | None, split: Literal["train"] | None
) -> TextFormat:
    """The model's format, its context shortened where the dataset asks for that.

    Raises:
        UsageError: the model takes images, its context is shorter, or texts for training are asked for.
    """
    text_format = for_text(input_format, dataset=dataset)
    if split is not None:
        raise UsageError(
            f"{dataset} keeps no texts for training",
            hint="tagged_text and text_files do, by 'train_fraction'",
        )
    if context is None:
        return text_format
    if context > text_format.context:
        raise UsageError(
            f"a context of {context} tokens is longer than the {text_format.context} that the model allows",
            hint="lower the dataset's 'context', or leave it out to take the model's own",
        )
    return replace(text_format, context=context)


def open_documents(
    documents: Documents,
    text_format: TextFormat,
    *,
    packing: Packing,
    n_documents: int | None,
    streams: Streams,
    limit: int | None,
    cache: Path | None,
    progress: Progress | None,
) -> TextExamples:
    """The documents as inputs in `text_format`, tokenised once."""
    from polylens.text import open_text

    return open_text(
        documents,
        text_format,
        packing=packing,
        streams=streams,
        n_documents=n_documents,
        limit=limit,
        # Its own folder: tokens take much more room than what is remembered of images.
        cache=None if cache is None else cache / "tokens",
        progress=progress,
    )
