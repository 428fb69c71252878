"""Documents of a dataset on the Hugging Face hub."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from polylens.datasets import Dataset, Opening
from polylens.records import Examples, InputFormat
from polylens.streams import Streams

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubText(Dataset):
    """One column of a dataset on the Hugging Face hub, read as it arrives; each row is a document.

    Needs the extra `hub-text`. The documents that are taken are kept in the store, so that the hub is asked
    once. Only data files are read (Parquet, JSON lines, CSV, text): code that comes with a dataset is never
    run. Rows that are empty or hold no text are left out, counted and named.
    """

    carries: ClassVar[frozenset[str] | None] = frozenset({"tokens"})

    name: str = Field(examples=["NeelNanda/pile-10k"])
    """The dataset on the hub, `OWNER/NAME`."""
    revision: str = Field(examples=["127bfedcd5047750df5ccf3a12979a47bfa0bafa"])
    """The hub's commit, 40 digits."""
    documents: int = Field(ge=1, examples=[1000])
    """How many documents are taken."""
    config: str | None = None
    """Which of the dataset's configurations; left out, its only or its default one."""
    split: str = "train"
    """Which part of the dataset."""
    column: str = "text"
    """The column that holds the text."""
    draw: Literal["first", "shuffled"] = "first"
    """`first`: the first documents of the split. `shuffled`: its files are shuffled with the seed, and then
    the documents as they arrive, `buffer` of them at a time, until there are enough."""
    buffer: int = Field(default=10_000, ge=1)
    """Documents held in memory while they are shuffled; as many as the split has make every draw equally
    likely. Only for `draw: shuffled`."""
    packing: Literal["one_document", "packed"] = "one_document"
    """`one_document`: an input is one document, cut to the context. `packed`: documents stand one after the
    other, the tokenizer's end token between them, cut into inputs of exactly `context` tokens."""
    context: int | None = Field(default=None, ge=2)
    """Tokens of one input at most, special ones counted; left out, as many as the model allows."""

    @field_validator("name")
    @classmethod
    def _the_name_is_the_hubs(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise PydanticCustomError(
                "not_of_the_hub",
                "name must be OWNER/NAME, as the hub has it, not '{name}'; for files of your own there is "
                "text_table",
                {"name": name},
            )
        return name

    @field_validator("revision")
    @classmethod
    def _the_revision_stays(cls, revision: str) -> str:
        if not _COMMIT.fullmatch(revision):
            raise PydanticCustomError(
                "revision_moves",
                "revision must be a commit's 40 hexadecimal digits, not '{revision}': branches and tags move",
                {"revision": revision},
            )
        return revision

    def identity(self) -> dict[str, Any]:
        """Everything that can change the documents; `buffer` only where it does."""
        plain = super().identity()
        if self.draw == "first":
            del plain["buffer"]
        return plain

    def source_in_words(self) -> str:
        """Where the examples come from, as a report says it."""
        return f"{self.name} at {self.revision}"

    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The documents as inputs of the model, in the order they were taken.

        Raises:
            DataError: the dataset cannot be had, or not this config, split or column of it; or it has fewer
                documents.
            UsageError: the model takes images, or a shorter context.
        """
        from polylens.datasets._texts import open_documents, text_format_of
        from polylens.digests import digest
        from polylens.text import HubTable, taken_documents

        text_format = text_format_of(
            input_format, dataset=self.kind(), context=self.context, split=opening.split
        )
        table = HubTable(
            name=self.name,
            revision=self.revision,
            config=self.config,
            split=self.split,
            column=self.column,
        )
        shuffled = None if self.draw == "first" else (_seed(opening.streams), self.buffer)
        taken = {
            "kind": self.kind(),
            "version": self.version,
            "table": vars(table),
            "documents": self.documents,
            "shuffled": shuffled,
        }
        documents = taken_documents(
            digest(taken),
            lambda: table.texts(shuffled=shuffled),
            title=self.name,
            documents=self.documents,
            cache=None if opening.cache is None else opening.cache / "hub",
            progress=opening.progress,
        )
        return open_documents(
            documents,
            text_format,
            packing=self.packing,
            n_documents=None,
            streams=opening.streams,
            limit=opening.limit,
            cache=opening.cache,
            progress=opening.progress,
        )


def _seed(streams: Streams) -> int:
    return int(streams.generator("hub").integers(2**32))
