"""Documents drawn, tokenised a few at a time, and written as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from polylens.progress import Progress
from polylens.records import Skipped
from polylens.text.documents import Documents, TextDocument
from polylens.text.tokenizer import Tokenizer
from polylens.text.tokens import TokenWriter, text_mark

_DOCUMENTS, _CHARACTERS = 64, 1_000_000
"""What is in memory at once: this many documents, or fewer long ones."""
_NO_TEXT = -1


def tokenize_documents(
    documents: Documents,
    tokenizer: Tokenizer,
    writer: TokenWriter,
    *,
    wanted: int | None,
    most: int | None,
    separator: int | None,
    generator: np.random.Generator,
    progress: Progress,
) -> list[Skipped]:
    """Writes the tokens of documents and gives those that could not be used.

    Args:
        documents: where the texts come from.
        tokenizer: the network's tokenizer.
        writer: where the tokens go.
        wanted: how many documents are drawn; one that cannot be used is replaced. None takes all in their
            order.
        most: tokens kept of each document; None keeps all.
        separator: a token put after each document; None puts none.
        generator: randomness of the draw.
        progress: shows how many documents are tokenised.
    """
    order = np.arange(len(documents)) if wanted is None else generator.permutation(len(documents))
    n_wanted = len(documents) if wanted is None else wanted
    skipped: list[Skipped] = []
    drawn = 0
    with progress.task("tokenising", total=n_wanted, unit="documents") as task:
        while len(writer) < n_wanted and drawn < len(order):
            # In their own order, so that a table is read in one pass.
            numbers = np.sort(order[drawn : drawn + n_wanted - len(writer)]).tolist()
            drawn += len(numbers)
            for few in _batches(documents.read(numbers)):
                before = len(writer)
                skipped += _write(few, tokenizer, writer, most=most, separator=separator)
                task.advance(len(writer) - before)
    return skipped


def _batches(documents: Iterator[TextDocument]) -> Iterator[list[TextDocument]]:
    few: list[TextDocument] = []
    letters = 0
    for document in documents:
        few.append(document)
        letters += len(document.text)
        if len(few) >= _DOCUMENTS or letters >= _CHARACTERS:
            yield few
            few, letters = [], 0
    if few:
        yield few


def _write(
    few: Sequence[TextDocument],
    tokenizer: Tokenizer,
    writer: TokenWriter,
    *,
    most: int | None,
    separator: int | None,
) -> list[Skipped]:
    encoded = tokenizer.encode([document.text for document in few], most=most)
    skipped = []
    for document, (ids, spans) in zip(few, encoded, strict=True):
        problem = document.problem or ("" if document.text.strip() else "empty")
        if problem or not len(ids):
            skipped.append(Skipped(document.name, problem or "the tokenizer finds no token in it"))
            continue
        if separator is not None:
            ids = np.append(ids, np.int32(separator))
            spans = np.concatenate([spans, np.full((1, 2), _NO_TEXT, dtype=np.int32)])
        writer.append(document.name, ids, spans, mark=text_mark(document.text))
    return skipped
