"""Tagged documents as inputs of a network: tokens take the tags of the words they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Int64

from polylens.digests import digest
from polylens.errors import DataError, UsageError, nearest
from polylens.records import Examples, RowTargets, RowTokens, Shown
from polylens.text.inputs import TextExamples
from polylens.text.tagged import NO_WORD, SEVERAL_WORDS, TaggedDocuments

if TYPE_CHECKING:
    import torch

TOKEN_TAG, COARSE_TAG = "token_tag", "coarse_tag"
"""Names of the targets that rows of tagged text have beside the classes of their documents."""
_NO_TAG = {NO_WORD: "(no word)", SEVERAL_WORDS: "(several words)"}
"""Classes of tokens that do not belong to one word."""
_BROWN = re.compile(r"(?P<tag>--|[^-]+)(-.*)?")

Syntax = Literal["plain", "brown"]


@dataclass(frozen=True)
class CoarseTags:
    """Which tags are one coarse tag."""

    groups: Mapping[str, tuple[str, ...]]
    """Tags, as `base_tag` gives them, of each coarse tag."""
    syntax: Syntax = "plain"
    """How tags are written."""

    def of(self, tags: Sequence[str], *, title: str) -> tuple[str, ...]:
        """The coarse tag of each tag.

        Raises:
            DataError: a tag is in no group, or in two.
        """
        group_of: dict[str, str] = {}
        for name, members in self.groups.items():
            for member in members:
                if group_of.setdefault(member, name) != name:
                    raise DataError(
                        f"the tag '{member}' is in two coarse tags, '{group_of[member]}' and '{name}'"
                    )
        bases = {tag: base_tag(tag, syntax=self.syntax) for tag in tags}
        lacking = sorted({base for base in bases.values() if base not in group_of})
        if lacking:
            shown = ", ".join(f"'{base}'" for base in lacking[:10])
            more = f" and {len(lacking) - 10} more" if len(lacking) > 10 else ""
            raise DataError(
                f"tags of {title} are in no coarse tag: {shown}{more}",
                hint="give each its place in 'coarse', or leave 'coarse' out to have no coarse tags",
            )
        return tuple(group_of[bases[tag]] for tag in tags)


def base_tag(tag: str, *, syntax: Syntax) -> str:
    """A tag without what its syntax adds to it.

    Args:
        tag: as it is written.
        syntax: `plain` adds nothing. `brown` is that of the Brown corpus: `fw-` before a foreign word's tag,
            which becomes `fw`; `-tl`, `-hl`, `-nc` behind tags of titles, headlines and words that are spoken
            of; `+` between the tags of a contraction, of which the first counts; `*` behind that of a
            word with `not`. A possessive's `$` stays.

    >>> [base_tag(tag, syntax="brown") for tag in ("nn-tl-hl", "ppss+bem", "md*", "fw-in", "--", "*")]
    ['nn', 'ppss', 'md', 'fw', '--', '*']
    """
    if syntax == "plain":
        return tag
    if tag.startswith("fw-"):
        return "fw"
    found = _BROWN.fullmatch(tag)
    first = (found["tag"] if found else tag).partition("+")[0]
    return first.rstrip("*") or first


class TaggedExamples(Examples):
    """Tagged documents as inputs, one an input, with the tags of words as targets of their tokens.

    Args:
        text: the documents as inputs.
        documents: with the tags.
        classes: the class of each document by name; None where documents have none.
        coarse: which tags are one coarse tag; None where there are no coarse tags.

    Raises:
        DataError: a tag has no coarse tag.
    """

    def __init__(
        self,
        text: TextExamples,
        documents: TaggedDocuments,
        *,
        classes: Mapping[str, str] | None,
        coarse: CoarseTags | None,
    ) -> None:
        self._text, self._documents = text, documents
        self.ids, self.skipped = text.ids, text.skipped
        self.classes = () if classes is None else tuple(sorted(set(classes.values())))
        self.targets = None
        self.fingerprint = text.fingerprint
        if classes is not None:
            place = {name: index for index, name in enumerate(self.classes)}
            self.targets = np.array([place[classes[name]] for name in self.ids], dtype=np.int64)
            self.fingerprint = digest(
                {"text": text.fingerprint, "classes": self.classes, "targets": self.targets.tolist()}
            )
        tags = documents.tags
        self._names = {TOKEN_TAG: tags}
        if coarse is not None:
            self._names[COARSE_TAG] = coarse.of(tags, title=documents.title)

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        """The inputs of these examples, padded at the end."""
        return self._text.batch(indices)

    def lengths(self) -> Int64[np.ndarray, "examples"]:
        """Tokens of each input."""
        return self._text.lengths()

    def valid(self, index: int) -> Int64[np.ndarray, "valid"]:
        """Positions that stand for text."""
        return self._text.valid(index)

    def context(self, index: int, position: int = 0) -> Shown:
        """The text around one token."""
        return self._text.context(index, position)

    def row_tokens(
        self, example: Int64[np.ndarray, "rows"], position: Int64[np.ndarray, "rows"]
    ) -> RowTokens:
        """The tokens at and around positions."""
        return self._text.row_tokens(example, position)

    def row_targets(
        self, name: str, example: Int64[np.ndarray, "rows"], position: Int64[np.ndarray, "rows"]
    ) -> RowTargets:
        """The tag of each token's word: tokens of white space alone, and of several words, have their own."""
        names = self._names_of(name)
        classes = (*sorted(set(names)), *self._without_tag)
        place = {each: index for index, each in enumerate(classes)}
        class_of = np.array([place[each] for each in names], dtype=np.int64)
        document, spans = self._text.documents_of(example, position)
        values = np.empty(len(example), dtype=np.int64)
        for number in np.unique(document).tolist():
            rows = np.flatnonzero(document == number)
            words = self._documents.words(self._text.document_names[number])
            word = words.at(spans[rows, 0], spans[rows, 1])
            values[rows[word >= 0]] = class_of[words.tags[word[word >= 0]]]
            for mark, without in _NO_TAG.items():
                if (word == mark).any():
                    values[rows[word == mark]] = place[without]
        return RowTargets(values, classes)

    def targets_digest(self, name: str) -> str:
        """Digest of the tags of all words and of what they are called here."""
        return digest({"names": self._names_of(name), "tags": self._documents.tags_digest()})

    @cached_property
    def _without_tag(self) -> tuple[str, ...]:
        """The classes of tokens that are not of one word, as far as any token of the texts is such."""
        found: set[int] = set()
        for number, name in enumerate(self._text.document_names):
            spans = self._text.spans_of(number)
            word = self._documents.words(name).at(spans[:, 0], spans[:, 1])
            found |= set(np.unique(word[word < 0]).tolist())
        return tuple(name for mark, name in _NO_TAG.items() if mark in found)

    def _names_of(self, name: str) -> tuple[str, ...]:
        if name not in self._names:
            close = nearest(name, tuple(self._names))
            raise UsageError(
                f"the dataset has no targets called '{name}'",
                hint=f"did you mean '{close}'? " if close else f"known: {', '.join(self._names)}",
            )
        return self._names[name]
