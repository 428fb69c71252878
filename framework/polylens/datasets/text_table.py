"""Documents that are rows of a table."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from polylens.datasets import Opening
from polylens.datasets._on_disk import OnDisk
from polylens.datasets._texts import Encoding
from polylens.records import Examples, InputFormat


class TextTable(OnDisk):
    """One column of a table: Parquet, CSV (or TSV), or JSON lines. Each row is a document.

    Rows that are empty, hold no text, are not in their encoding or have more or fewer fields than the header
    are left out, counted and named, as are files of a folder that are no tables; where documents are drawn,
    others take their place. Tokens are kept, and made again only when the table, the tokenizer or
    these settings change.
    """

    carries: ClassVar[frozenset[str] | None] = frozenset({"tokens"})
    path_field: ClassVar[str] = "file"

    file: str = Field(examples=["corpus.parquet"])
    """The table (.parquet, .csv, .tsv, .jsonl) or a folder of tables, relative to the project's data root."""
    column: str = "text"
    """The column that holds the text."""
    encoding: Encoding | None = None
    """How letters of CSV and JSON lines are written as bytes. Left out: UTF-8. A file's mark of byte order
    counts more."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1, examples=[";"])
    """What parts the fields of CSV, one character. Left out: a comma, and in TSV a tab."""
    quotes: Literal["double", "none"] | None = None
    """Whether quotation marks quote the fields of CSV and TSV: `double`, and one inside of a field is written
    twice (RFC 4180), or `none`: they are part of the text. Left out: `double`, and a file is refused where
    a mark that is part of the text may have swallowed rows."""
    documents: int | None = Field(default=None, ge=1)
    """How many documents are drawn; left out, all of them."""
    packing: Literal["one_document", "packed"] = "one_document"
    """`one_document`: an input is one document, cut to the context. `packed`: documents stand one after the
    other, the tokenizer's end token between them, cut into inputs of exactly `context` tokens."""
    context: int | None = Field(default=None, ge=2)
    """Tokens of one input at most, special ones counted; left out, as many as the model allows."""

    @field_validator("delimiter")
    @classmethod
    def _the_delimiter_is_no_other_mark(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (delimiter in '"\r\n' or not delimiter.isascii()):
            raise PydanticCustomError(
                "no_delimiter",
                "fields are parted by a letter of ASCII that is no quotation mark and no line end",
            )
        return delimiter

    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The rows as inputs of the model, in the order of the table.

        Raises:
            DataError: there is no such table or column, or no row can be used.
            UsageError: the model takes images, or a shorter context.
        """
        from polylens.datasets._texts import open_documents, text_format_of
        from polylens.text import TextTables

        text_format = text_format_of(
            input_format, dataset=self.kind(), context=self.context, split=opening.split
        )
        return open_documents(
            TextTables(
                opening.root / self.file,
                column=self.column,
                encoding=self.encoding,
                delimiter=self.delimiter,
                quotes=self.quotes,
            ),
            text_format,
            packing=self.packing,
            n_documents=self.documents,
            streams=opening.streams,
            limit=opening.limit,
            cache=opening.cache,
            progress=opening.progress,
        )
