"""Documents of words with a tag each, such as `The/at jury/nn`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from polylens.digests import digest
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Skipped
from polylens.text.documents import Documents, TextDocument, gone
from polylens.text.files import FileDocuments

_VERSION = 1
"""Raised when the same files give other texts or tags; part of every fingerprint."""
NO_WORD, SEVERAL_WORDS = -1, -2
"""What stands for the word of a token that holds white space alone, and of one that goes over several."""


@dataclass(frozen=True)
class TagLayout:
    """How words and tags stand in a file."""

    separator: str = "/"
    """Stands between a word and its tag; the last one in a token counts."""
    comment: str | None = None
    """Lines that begin so hold no words."""


@dataclass(frozen=True)
class Words:
    """The words of one document, in the text that is made of them."""

    starts: Int64[np.ndarray, "words"]
    """Character of the text at which each word begins."""
    stops: Int64[np.ndarray, "words"]
    """The character after it."""
    tags: Int64[np.ndarray, "words"]
    """Tag of each word, an index into `TaggedDocuments.tags`."""

    def at(
        self, start: Int64[np.ndarray, "tokens"], stop: Int64[np.ndarray, "tokens"]
    ) -> Int64[np.ndarray, "tokens"]:
        """The word that each token belongs to, by the characters from and up to which the token goes.

        White space at a token's edges is of no word. A token of white space alone has `NO_WORD`, one with
        characters of several words `SEVERAL_WORDS`.
        """
        first = np.searchsorted(self.stops, start, side="right")
        last = np.searchsorted(self.starts, stop, side="left") - 1
        word = np.where(first == last, first, SEVERAL_WORDS)
        return np.where(first > last, NO_WORD, word).astype(np.int64)


class TaggedDocuments(Documents):
    """Files of words and tags, as texts of the words with one space between them. All are read once.

    Args:
        files: the files, read as text.
        layout: how words and tags stand in them.
        only: which documents are taken, by name, in the order of `files`; None takes all.

    Raises:
        DataError: something in a file is no word with a tag; says in which line. Or a file is no text.
    """

    def __init__(
        self, files: FileDocuments, *, layout: TagLayout, only: frozenset[str] | None = None
    ) -> None:
        self.title = files.title
        self._files, self._layout = files, layout
        self._words: dict[str, Words] = {}
        self._names: list[str] = []
        passed: list[Skipped] = []
        tags: dict[str, int] = {}
        for document in files.read(range(len(files))):
            self._names.append(document.name)
            parsed = self._parse(document)
            comments = parsed.comments
            if comments:
                lines = (
                    f"{len(comments)} lines that begin with '{layout.comment}' are passed over, the first "
                )
                passed.append(Skipped(document.name, f"{lines}line {comments[0]}"))
            own = [tags.setdefault(tag, len(tags)) for tag in parsed.tags]
            self._words[document.name] = _words_of(parsed.words, own)
        self.tags: tuple[str, ...] = tuple(sorted(tags))
        """All tags of all files, sorted, whichever documents are taken."""
        place = {tag: index for index, tag in enumerate(self.tags)}
        rank = np.array([place[tag] for tag in tags], dtype=np.int64)
        for name, words in self._words.items():
            self._words[name] = replace(words, tags=rank[words.tags])
        self.skipped = (*files.skipped, *passed)
        self._taken = [number for number, name in enumerate(self._names) if only is None or name in only]

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the documents that are taken."""
        return tuple(self._names[number] for number in self._taken)

    def words(self, name: str) -> Words:
        """The words of a document."""
        return self._words[name]

    def fingerprint(self, *, cache: Path | None, progress: Progress) -> str:
        """Digest of the files, of which documents are taken, and of how they are read."""
        return digest(
            {
                "version": _VERSION,
                "files": self._files.fingerprint(cache=cache, progress=progress),
                "layout": [self._layout.separator, self._layout.comment],
                "taken": list(self.names),
            }
        )

    def tags_digest(self) -> str:
        """Digest of the tags of all words."""
        taken = {name: digest(self._words[name].tags.tolist()) for name in self.names}
        return digest({"tags": list(self.tags), "words": taken})

    def read(self, numbers: Sequence[int]) -> Iterator[TextDocument]:
        """The texts of these documents one by one."""
        for document in self._files.read([self._taken[number] for number in numbers]):
            yield TextDocument(document.name, " ".join(self._parse(document).words))

    def text(self, name: str) -> str:
        """The text of one document, read again."""
        try:
            return " ".join(self._parse(TextDocument(name, self._files.text(name))).words)
        except DataError as error:
            raise gone(name, title=self.title, why=error.message) from error

    def _parse(self, document: TextDocument) -> _Parsed:
        if document.problem:
            raise DataError(f"{self.title}/{document.name}: {document.problem}")
        return _parse(document.text, place=f"{self.title}/{document.name}", layout=self._layout)


@dataclass(frozen=True)
class _Parsed:
    words: list[str]
    tags: list[str]
    comments: list[int]
    """Numbers of lines that are comments."""


def _parse(text: str, *, place: str, layout: TagLayout) -> _Parsed:
    """The words and the tags of a file's text; lines without anything on them only part others."""
    words: list[str] = []
    tags: list[str] = []
    comments = []
    for number, line in enumerate(text.split("\n"), start=1):
        if layout.comment is not None and line.lstrip().startswith(layout.comment):
            comments.append(number)
            continue
        for token in line.split():
            word, _, tag = token.rpartition(layout.separator)
            if not word or not tag:
                raise DataError(
                    f"{place}:{number}: '{token}' is no word with a tag",
                    hint=f"a token reads WORD{layout.separator}TAG; 'separator' names what parts the two, "
                    "'comment' what lines without words begin with, 'pattern' which files are read",
                )
            words.append(word)
            tags.append(tag)
    return _Parsed(words, tags, comments)


def _words_of(words: Sequence[str], tags: Sequence[int]) -> Words:
    lengths = np.array([len(word) for word in words], dtype=np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths + 1)])[:-1]
    return Words(starts, starts + lengths, np.array(tags, dtype=np.int64))


def read_classes(path: Path, *, documents: Sequence[str]) -> tuple[Mapping[str, str], tuple[Skipped, ...]]:
    """The class of each document by a file with a line `NAME CLASS` for each, and the lines passed over.

    Args:
        path: the file, in UTF-8. Lines that name no document are passed over, each with its number.
        documents: names of the documents.

    Raises:
        DataError: the file cannot be read, a line has another form, names a document again, or a document has
            no line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the classes in {path} cannot be read: {error}") from None
    known = set(documents)
    classes: dict[str, str] = {}
    skipped = []
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 2:
            raise DataError(
                f"{path}:{number}: '{line.strip()}' is no name of a document and its class",
                hint="a line reads NAME CLASS, with one class and no spaces inside of either",
            )
        name, own = parts
        if name not in known:
            skipped.append(Skipped(f"{path.name}:{number}", f"there is no document '{name}'"))
        elif classes.setdefault(name, own) != own:
            raise DataError(f"{path}:{number}: '{name}' was given the class '{classes[name]}' above")
    lacking = [name for name in documents if name not in classes]
    if lacking:
        raise DataError(
            f"{len(lacking)} documents have no class in {path}, the first is '{lacking[0]}'",
            hint="give each a line NAME CLASS, or narrow 'pattern' to the documents that have one",
        )
    return classes, tuple(skipped)
