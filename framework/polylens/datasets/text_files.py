"""Documents that are files of plain text."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from polylens.datasets import Opening
from polylens.datasets._on_disk import OnDisk
from polylens.datasets._texts import Encoding
from polylens.records import Examples, InputFormat


class TextFiles(OnDisk):
    """Files of plain text; each is a document. Links are followed, hidden files are not read.

    Files that are empty or not in their encoding are left out, counted and named; where documents are drawn,
    others take their place. Files that do not match `pattern` are counted by their endings. Tokens are kept,
    and made again only when files, tokenizer or these settings change.
    """

    later_fields: ClassVar[frozenset[str]] = frozenset({"train_fraction"})
    carries: ClassVar[frozenset[str] | None] = frozenset({"tokens"})

    root: str
    """The folder that holds the files, relative to the project's data root."""
    pattern: str = "**/*.txt"
    """Which files below the folder: `*` any text in a name, `**` folders of any depth. `.TXT` is `.txt`."""
    encoding: Encoding | None = None
    """How letters are written as bytes. Left out: UTF-8. The mark of byte order of a file counts more."""
    documents: int | None = Field(default=None, ge=1)
    """How many documents are drawn; left out, all of them."""
    train_fraction: float | None = Field(default=None, gt=0, lt=1)
    """Share of the files kept for training a model here, and never drawn otherwise; left out, none."""
    packing: Literal["one_document", "packed"] = "one_document"
    """`one_document`: an input is one document, cut to the context. `packed`: documents stand one after the
    other, the tokenizer's end token between them, cut into inputs of exactly `context` tokens."""
    context: int | None = Field(default=None, ge=2)
    """Tokens of one input at most, special ones counted; left out, as many as the model allows."""

    @field_validator("pattern")
    @classmethod
    def _pattern_stays_below_the_root(cls, pattern: str) -> str:
        if not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
            raise PydanticCustomError(
                "pattern_leaves", "a pattern of files below 'root' is needed, such as '**/*.txt'"
            )
        return pattern

    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The files as inputs of the model, in the order of their paths.

        Raises:
            DataError: there is no such folder, no file matches, or none can be used.
            UsageError: the model takes images, or a shorter context.
        """
        from polylens.datasets._kept_for_training import documents_of_split
        from polylens.datasets._texts import open_documents, text_format_of
        from polylens.text import FileDocuments as Source

        text_format = text_format_of(input_format, dataset=self.kind(), context=self.context, split=None)

        def of_split(names: tuple[str, ...]) -> frozenset[str]:
            return documents_of_split(
                names,
                dataset=self.kind(),
                train_fraction=self.train_fraction,
                split=opening.split,
                streams=opening.streams,
            )

        for_training = opening.split is not None
        return open_documents(
            Source(opening.root / self.root, pattern=self.pattern, encoding=self.encoding, only=of_split),
            text_format,
            packing="packed" if for_training else self.packing,
            n_documents=None if for_training else self.documents,
            streams=opening.streams,
            limit=opening.limit,
            cache=opening.cache,
            progress=opening.progress,
        )
