"""Judges: who is asked what a label says of a row, or for a label."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from polylens.judges._asking import TALLY_NUMBERS, Asked, Tally, ask, tally
from polylens.judges._showing import LETTERS, question, row_as_data
from polylens.plugin import Plugin
from polylens.records import Answer, Question
from polylens.work import Judging

__all__ = ["LETTERS", "TALLY_NUMBERS", "Asked", "Judge", "Tally", "ask", "question", "row_as_data", "tally"]


class Judge(Plugin):
    """Someone who answers questions that a spec's labels and scores ask."""

    family: ClassVar[str] = "judges"
    unasked_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that change no answer, such as prices: kept answers are found again when they change."""
    keeps_answers: ClassVar[bool] = True
    """Whether answers are worth keeping: those that are read from a file are not."""

    def takes_images(self) -> bool:
        """Whether it is shown images."""
        return False

    def contents_digest(self, *, root: Path) -> str:
        """A digest of what a file or folder holds that the fields only name; empty where they name none.

        Args:
            root: folder that relative paths start from.

        Raises:
            DataError: it is not there.
        """
        return ""

    def prices(self) -> tuple[float, float] | None:
        """What a million tokens cost, read and written; None where nobody said."""
        return None

    def asked_as(self, *, root: Path) -> dict[str, Any]:
        """All of the judge that an answer hangs on, as plain data."""
        fields = {key: value for key, value in self.identity().items() if key not in self.unasked_fields}
        return {**fields, "contents": self.contents_digest(root=root)}

    @abstractmethod
    def answers(self, questions: Sequence[Question], judging: Judging) -> Iterator[tuple[int, Answer]]:
        """The answer to each question, with its place among them, in the order in which they come.

        Args:
            questions: each is asked once.
            judging: servers by name, and where relative files start.

        Raises:
            UsageError: nothing says where the server is.
            DataError: nobody can answer (no server, no such model, a key that is refused, no such file).
        """
