"""What a sheet holds: before a person fills it, and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from polylens.errors import UsageError
from polylens.records import LabelRecord, Meanings

FILLED = ("label", "verdict", "note", "author", "date")
"""The columns that people fill."""
VERDICTS: tuple[Meanings, ...] = ("one", "several", "unclear")
"""What a verdict can be: the cluster means one thing, several, or nobody can tell."""
_MOST_MISTAKES = 20


@dataclass(frozen=True)
class SheetLine:
    """One group of rows to be judged."""

    id: str
    """Says which group it is; of letters that no program takes for a number, a date or a word."""
    shown: tuple[str, ...] = ()
    """The rows to judge by: a window of text with the token marked, or the name of a picture."""
    cluster: int | None = None
    """Number of the cluster; None where nobody may know."""
    size: int | None = None
    """Rows of the cluster; None where nobody may know."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What each labeler of the spec calls it, by the labeler's name."""


@dataclass(frozen=True)
class Sheet:
    """Groups of rows to be labelled and judged by a person."""

    name: str
    """Stands in every line, so that lines of two sheets are told apart."""
    run: str
    """The run, as people are told."""
    of: str
    """The analysis whose clusters are judged."""
    lines: tuple[SheetLine, ...]


@dataclass(frozen=True)
class FilledLine:
    """What one person says of one group of rows."""

    line: int
    """Where it begins in the file, counted from 1."""
    sheet: str
    id: str
    label: str
    verdict: Meanings
    note: str
    author: str
    date: str
    """ISO date; empty where none was given."""
    cluster: str = ""
    """What the column of cluster numbers says; empty where there is none."""

    def record(self, cluster: int, *, day: str) -> LabelRecord:
        """The line as a label of a cluster.

        Args:
            cluster: its number.
            day: taken where the line has no date.
        """
        return LabelRecord(
            cluster=cluster,
            text=self.label,
            labeler=self.sheet,
            kind="given",
            meanings=self.verdict,
            note=self.note,
            by=self.author,
            at=self.date or day,
        )


@dataclass
class FilledSheet:
    """The lines of a file that say something, and all that is wrong in it."""

    file: str
    """Name of the file, for errors."""
    lines: list[FilledLine] = field(default_factory=list)
    mistakes: list[tuple[int, str]] = field(default_factory=list)
    """The number of a line, or 0 of the whole file, and what is wrong there."""

    def mistake(self, line: int, what: str) -> None:
        """Notes something that is wrong."""
        self.mistakes.append((line, what))

    def check(self, *, undone: str) -> Sequence[FilledLine]:
        """The lines, where nothing is wrong.

        Args:
            undone: what has not happened, for the error, such as `nothing was imported`.

        Raises:
            UsageError: something is wrong; names every line.
        """
        if self.mistakes:
            found = sorted(self.mistakes)
            said = [
                f"{self.file}:{line}: {what}" if line else f"{self.file}: {what}"
                for line, what in found[:_MOST_MISTAKES]
            ]
            more = len(found) - len(said)
            said += [f"and {more} more"] if more else []
            count = f"{len(found)} mistake{'s' * (len(found) != 1)}"
            raise UsageError(f"{count} in {self.file}; {undone}", hint="\n  ".join(said))
        return self.lines


def plain_record(record: LabelRecord, **more: Any) -> dict[str, Any]:
    """A label in the words of a sheet, with further entries before them."""
    filled = (record.text, record.meanings, record.note, record.by, record.at)
    return {**more, "cluster": record.cluster, **dict(zip(FILLED, filled, strict=True))}
