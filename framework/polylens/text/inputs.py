"""Inputs of a network made of tokens, and what people are shown of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from polylens.digests import digest
from polylens.records import PADDING, Examples, RowTokens, Skipped, TextFormat, TokenContext
from polylens.text.contexts import around
from polylens.text.documents import Documents, gone
from polylens.text.tokenizer import vocabulary_of
from polylens.text.tokens import Tokens, text_mark

if TYPE_CHECKING:
    import torch

PREPARATION = 1
"""Raised when the same documents and format give other inputs; part of every fingerprint and cache."""


class TextExamples(Examples):
    """Documents as inputs of a network; each token knows its document and its place there."""

    def __init__(
        self,
        documents: Documents,
        tokens: Tokens,
        windows: Int64[np.ndarray, "sequences 2"],
        *,
        text_format: TextFormat,
        ids: tuple[str, ...] | None = None,
        skipped: tuple[Skipped, ...] = (),
    ) -> None:
        self._documents = documents
        self._tokens = tokens
        self._windows = windows
        self._format = text_format
        self.ids = tokens.names if ids is None else ids
        self.targets = None
        self.classes = ()
        self.skipped = (*documents.skipped, *tokens.skipped, *skipped)
        self.fingerprint = digest(
            {
                "tokens": tokens.fingerprint,
                "ids": list(self.ids),
                "format": text_format.to_plain(),
                "preparation": PREPARATION,
            }
        )

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        """The inputs of these examples, padded at the end."""
        import torch

        sequences = [self._sequence(index) for index in indices]
        inputs = np.full((len(sequences), max(map(len, sequences), default=0)), PADDING, dtype=np.int64)
        for row, sequence in zip(inputs, sequences, strict=True):
            row[: len(sequence)] = sequence
        return torch.from_numpy(inputs)

    def lengths(self) -> Int64[np.ndarray, "examples"]:
        """Tokens of each input."""
        around = len(self._format.before) + len(self._format.after)
        return np.asarray(self._windows[:, 1] - self._windows[:, 0] + around, dtype=np.int64)

    def valid(self, index: int) -> Int64[np.ndarray, "valid"]:
        """Positions that stand for text."""
        start, stop = self._windows[index]
        is_text = self._tokens.spans[start:stop, 0] >= 0
        is_text &= ~np.isin(self._tokens.ids[start:stop], self._format.special)
        return np.flatnonzero(is_text).astype(np.int64) + len(self._format.before)

    def context(self, index: int, position: int = 0) -> TokenContext:
        """The text around one token."""
        begin, end = (int(bound) for bound in self._windows[index])
        place = begin + position - len(self._format.before)
        token = min(max(place, begin), end - 1)
        document = int(np.searchsorted(self._tokens.bounds, token, side="right")) - 1
        name = self._tokens.names[document]
        text = self._documents.text(name)
        if text_mark(text) != int(self._tokens.marks[document]):
            raise gone(name, title=self._documents.title, why="it changed while it was in use")
        seen = max(begin, int(self._tokens.bounds[document]))
        first = max(int(self._tokens.spans[seen, 0]), 0)
        start, stop = (int(letter) for letter in self._tokens.spans[token])
        title = f"{name} · token {position}"
        if place == token and start >= 0:
            before, shown, after = around(text, start, stop, first=first)
            return TokenContext(title=title, before=before, token=shown, after=after)
        # A token that stands for no text is shown by its name, where it stands.
        edge = start if place < token else len(text) if start < 0 else stop
        before, _, after = around(text, edge, edge, first=min(first, edge))
        special = self._vocabulary()[int(self._at(np.array([index]), np.array([position]))[0])]
        return TokenContext(title=title, before=before, token=special, after=after)

    def row_tokens(
        self, example: Int64[np.ndarray, "rows"], position: Int64[np.ndarray, "rows"]
    ) -> RowTokens:
        """The tokens at and around positions."""
        return RowTokens(
            vocabulary=self._vocabulary(),
            current=self._at(example, position),
            before=self._at(example, position - 1),
            after=self._at(example, position + 1),
        )

    def documents_of(
        self, example: Int64[np.ndarray, "rows"], position: Int64[np.ndarray, "rows"]
    ) -> tuple[Int64[np.ndarray, "rows"], Int64[np.ndarray, "rows 2"]]:
        """The document of each position's token, an index into `document_names`, and its characters there.

        Positions are such as `valid` gives: of tokens that stand for text.
        """
        token = self._windows[example, 0] + position - len(self._format.before)
        document = np.searchsorted(self._tokens.bounds, token, side="right") - 1
        return document.astype(np.int64), self._tokens.spans[token].astype(np.int64)

    def spans_of(self, document: int) -> Int64[np.ndarray, "tokens 2"]:
        """Characters from and up to which each token of a document goes, of those that stand for text."""
        spans = self._tokens.spans[self._tokens.bounds[document] : self._tokens.bounds[document + 1]]
        return np.asarray(spans[spans[:, 0] >= 0], dtype=np.int64)

    @property
    def document_names(self) -> tuple[str, ...]:
        """Names of the documents that the tokens are of."""
        return self._tokens.names

    def _vocabulary(self) -> tuple[str, ...]:
        return vocabulary_of(self._format.tokenizer, self._format.tokenizer_digest)

    def _sequence(self, index: int) -> Int64[np.ndarray, "tokens"]:
        start, stop = self._windows[index]
        return np.concatenate([self._format.before, self._tokens.ids[start:stop], self._format.after]).astype(
            np.int64
        )

    def _at(
        self, example: Int64[np.ndarray, "rows"], position: Int64[np.ndarray, "rows"]
    ) -> Int64[np.ndarray, "rows"]:
        """Tokens at positions of inputs; -1 outside of them."""
        start, stop = self._windows[example].T
        n_before, n_after = len(self._format.before), len(self._format.after)
        index, length = position - n_before, stop - start
        ids = np.full(len(position), PADDING, dtype=np.int64)
        inside = (index >= 0) & (index < length)
        ids[inside] = self._tokens.ids[(start + index)[inside]]
        for mask, special, offset in (
            ((index < 0) & (position >= 0), self._format.before, position),
            ((index >= length) & (index < length + n_after), self._format.after, index - length),
        ):
            if mask.any():
                ids[mask] = np.array(special, dtype=np.int64)[offset[mask]]
        return ids
