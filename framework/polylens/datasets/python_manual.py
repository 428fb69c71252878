"""The Python manual inside the standard library."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from polylens.datasets import Dataset, Opening
from polylens.errors import DataError
from polylens.records import Examples, InputFormat


class PythonManual(Dataset):
    """The chapters of the Python language reference that `help()` shows; each topic is a document.

    They come with the running Python (module `pydoc_data.topics`), need no download, and differ a little
    between its versions. About 80 documents, 460,000 characters.

    Source: the Python Software Foundation, The Python Language Reference and parts of The Python Standard
        Library, licence PSF-2.0.
    """

    carries: ClassVar[frozenset[str] | None] = frozenset({"tokens"})

    documents: int | None = Field(default=None, ge=1)
    """How many documents are drawn; left out, all of them."""
    packing: Literal["one_document", "packed"] = "one_document"
    """`one_document`: an input is one document, cut to the context. `packed`: documents stand one after the
    other, the tokenizer's end token between them, cut into inputs of exactly `context` tokens."""
    context: int | None = Field(default=None, ge=2)
    """Tokens of one input at most, special ones counted; left out, as many as the model allows."""

    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The topics as inputs of the model, in alphabetical order.

        Raises:
            DataError: this Python comes without its manual.
            UsageError: the model takes images, or a shorter context.
        """
        from polylens.datasets._texts import open_documents, text_format_of
        from polylens.text import InMemory

        text_format = text_format_of(
            input_format, dataset=self.kind(), context=self.context, split=opening.split
        )
        return open_documents(
            InMemory(_topics(), title="the Python manual"),
            text_format,
            packing=self.packing,
            n_documents=self.documents,
            streams=opening.streams,
            limit=opening.limit,
            cache=opening.cache,
            progress=opening.progress,
        )


def _topics() -> dict[str, str]:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise DataError(
            "this Python comes without its manual (module pydoc_data.topics)",
            hint="install the whole standard library, or take text_files",
        ) from error
    return {f"python/{name}": topics[name] for name in sorted(topics)}
