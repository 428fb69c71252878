"""Tagged files as inputs of a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from polylens.datasets import Opening
from polylens.datasets._kept_for_training import documents_of_split
from polylens.datasets._texts import open_documents, text_format_of
from polylens.errors import DataError
from polylens.records import Examples, InputFormat, Skipped
from polylens.text import CoarseTags, FileDocuments, TaggedDocuments, TaggedExamples, TagLayout, read_classes

if TYPE_CHECKING:
    from polylens.datasets.tagged_text import TaggedText

_FOLDERS = "folders"


def tagged_examples(dataset: TaggedText, input_format: InputFormat, opening: Opening) -> Examples:
    """The documents that are asked for: with their tags, or for training packed into whole contexts."""
    text_format = text_format_of(input_format, dataset=dataset.kind(), context=dataset.context, split=None)
    root = opening.root / dataset.root
    if not root.is_dir() and dataset.fetch is not None:
        raise DataError(f"no folder of tagged text at {root}", hint=f"fetch it: {dataset.fetch}")
    files = FileDocuments(root, pattern=dataset.pattern, encoding=dataset.encoding)
    classes, skipped = _classes_of(dataset, root, files)
    documents = TaggedDocuments(
        files,
        layout=TagLayout(dataset.separator, dataset.comment),
        only=documents_of_split(
            files.names,
            dataset=dataset.kind(),
            train_fraction=dataset.train_fraction,
            split=opening.split,
            streams=opening.streams,
            classes=None if classes is None else [classes[name] for name in files.names],
        ),
    )
    documents.skipped = (*documents.skipped, *skipped)
    for_training = opening.split == "train"
    text = open_documents(
        documents,
        text_format,
        packing="packed" if for_training else "one_document",
        n_documents=None if for_training else dataset.documents,
        streams=opening.streams,
        limit=opening.limit,
        cache=opening.cache,
        progress=opening.progress,
    )
    if for_training:
        return text
    coarse = None if dataset.coarse is None else CoarseTags(dataset.coarse, dataset.syntax)
    return TaggedExamples(text, documents, classes=classes, coarse=coarse)


def _classes_of(
    dataset: TaggedText, root: Path, files: FileDocuments
) -> tuple[Mapping[str, str] | None, tuple[Skipped, ...]]:
    """The class of each document by name, and the lines of their file that are passed over."""
    if dataset.classes is None:
        return None, ()
    if dataset.classes != _FOLDERS:
        return read_classes(root / dataset.classes, documents=files.names)
    loose = [name for name in files.names if "/" not in name]
    if loose:
        raise DataError(
            f"{len(loose)} documents of {root} lie in no folder that could be their class: '{loose[0]}'",
            hint="put each into a folder of its class, or narrow 'pattern', such as '*/*.txt'",
        )
    return {name: name.partition("/")[0] for name in files.names}, ()
