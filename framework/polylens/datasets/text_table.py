"""Documents that are rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from polylens.datasets import Dataset
from polylens.progress import Progress
from polylens.records import Examples, InputFormat
from polylens.streams import Streams


class TextTable(Dataset):
    """One column of a table: Parquet, CSV (or TSV), or JSON lines. Each row is a document.

    Rows that are empty, hold no text or are not UTF-8 are left out, counted and named; where documents are
    drawn, others take their place. Tokens are kept, and made again only when the table, the tokenizer or
    these settings change.
    """

    carries: ClassVar[frozenset[str] | None] = frozenset({"tokens"})

    file: str = Field(examples=["corpus.parquet"])
    """The table (.parquet, .csv, .tsv, .jsonl) or a folder of tables, relative to the project's data root."""
    column: str = "text"
    """The column that holds the text."""
    documents: int | None = Field(default=None, ge=1)
    """How many documents are drawn; left out, all of them."""
    packing: Literal["one_document", "packed"] = "one_document"
    """`one_document`: an input is one document, cut to the context. `packed`: documents stand one after the
    other, the tokenizer's end token between them, cut into inputs of exactly `context` tokens."""
    context: int | None = Field(default=None, ge=2)
    """Tokens of one input at most, special ones counted; left out, as many as the model allows."""

    def located(self, find: Callable[[str], Path]) -> Self:
        """The same dataset with its file found among the data roots."""
        if Path(self.file).is_absolute():
            return self
        return self.model_copy(update={"file": str(find(self.file) / self.file)})

    def identity(self) -> dict[str, Any]:
        """Everything but where the text lies: the contents are in the examples' fingerprint."""
        return {key: value for key, value in super().identity().items() if key != "file"}

    def missing(self, *, root: Path) -> Path | None:
        """What `file` names, where that is not on this machine."""
        return None if (root / self.file).exists() else root / self.file

    def source_in_words(self) -> str:
        """Where the examples come from, as a report says it."""
        return self.file

    def open(
        self,
        input_format: InputFormat,
        *,
        streams: Streams,
        root: Path,
        limit: int | None = None,
        split: Literal["train"] | None = None,
        cache: Path | None = None,
        progress: Progress | None = None,
    ) -> Examples:
        """The rows as inputs of the model, in the order of the table.

        Raises:
            DataError: there is no such table or column, or no row can be used.
            UsageError: the model takes images, or a shorter context.
        """
        from polylens.datasets._texts import open_documents, text_format_of
        from polylens.text import TextTables

        text_format = text_format_of(input_format, dataset=self.kind(), context=self.context, split=split)
        return open_documents(
            TextTables(root / self.file, column=self.column),
            text_format,
            packing=self.packing,
            n_documents=self.documents,
            streams=streams,
            limit=limit,
            cache=cache,
            progress=progress,
        )
