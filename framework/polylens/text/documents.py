"""Where documents come from: named, counted, streamed, and read again when one is shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from polylens.digests import digest
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Skipped


@dataclass(frozen=True)
class TextDocument:
    """One document, or why there is none."""

    name: str
    """Stable and unique in its source."""
    text: str
    problem: str = ""
    """Why the document cannot be used; empty where it can."""


class Documents(ABC):
    """A source of documents. Never holds more than a few of them."""

    title: str
    """What errors call the source."""
    skipped: tuple[Skipped, ...] = ()
    """What cannot even be named as a document."""

    @abstractmethod
    def __len__(self) -> int:
        """How many documents there are, usable or not."""

    @abstractmethod
    def fingerprint(self, *, cache: Path | None, progress: Progress) -> str:
        """Digest of all names and contents."""

    @abstractmethod
    def read(self, numbers: Sequence[int]) -> Iterator[TextDocument]:
        """These documents one by one, in this order."""

    @abstractmethod
    def text(self, name: str) -> str:
        """One document's text, read again.

        Raises:
            DataError: it cannot be read any more.
        """


class InMemory(Documents):
    """Documents that are in memory.

    >>> source = InMemory({"a": "One.", "b": "Two."}, title="two")
    >>> [document.text for document in source.read([1])]
    ['Two.']
    """

    def __init__(self, texts: Mapping[str, str], *, title: str) -> None:
        self.title = title
        self._texts = texts
        self._names = tuple(texts)

    def __len__(self) -> int:
        return len(self._names)

    def fingerprint(self, *, cache: Path | None, progress: Progress) -> str:
        """Digest of all names and texts."""
        return digest([[name, digest(self._texts[name])] for name in self._names])

    def read(self, numbers: Sequence[int]) -> Iterator[TextDocument]:
        """These documents one by one."""
        for number in numbers:
            yield TextDocument(self._names[number], self._texts[self._names[number]])

    def text(self, name: str) -> str:
        """One document's text."""
        return self._texts[name]


def gone(name: str, *, title: str, why: str) -> DataError:
    """The error for a document that was read before and cannot be read now."""
    return DataError(
        f"'{name}' of {title} cannot be read any more: {why}",
        hint="leave the files alone while they are in use; the same command again goes on from there",
    )
