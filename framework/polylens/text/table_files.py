"""One table on disk, whose rows are read where they lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from polylens.errors import DataError, listed, nearest

Quotes = Literal["double", "none"]


@dataclass(frozen=True)
class Reading:
    """How tables are read."""

    column: str
    """The column that holds the text."""
    encoding: str | None = None
    """How files of lines are encoded; None takes what a file's mark of byte order says, or UTF-8."""
    delimiter: str | None = None
    """What parts the fields of CSV; None takes a comma, and in TSV a tab."""
    quotes: Quotes | None = None
    """Whether quotation marks quote fields of CSV; None takes `double` where it can be told."""


class TableFile(ABC):
    """The rows of one file."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of rows."""

    @abstractmethod
    def read(self, rows: Sequence[int]) -> Iterator[tuple[str, str]]:
        """Text and problem of each of these rows (counted from 0); one of the two is empty."""


def text_of(value: Any, *, column: str, encoding: str = "utf-8", hint: str = "") -> tuple[str, str]:
    """A cell's text and what is wrong with it.

    Args:
        value: what the cell holds.
        column: the column that it stands in.
        encoding: how the file is encoded, for the words about what is wrong.
        hint: added where the text is not in the encoding.
    """
    if value is None:
        return "", "empty"
    if not isinstance(value, str):
        return "", f"'{column}' is no text but {type(value).__name__}"
    try:
        value.encode()
    except UnicodeEncodeError as error:
        stand_in = value[error.start]
    else:
        return value, ""
    # Of wide encodings nothing is known but that a line has a byte too few.
    is_a_byte = "\udc80" <= stand_in <= "\udcff" and not encoding.startswith(("utf-16", "utf-32"))
    byte = f": byte 0x{ord(stand_in) - 0xDC00:02x}" if is_a_byte else ""
    return "", f"not {encoding.upper()}{byte}{hint if is_a_byte else ''}"


def need_column(column: str, known: Sequence[str], *, path: Path, hint: str | None = None) -> None:
    """Refuses a table that lacks a column, or has several of its name.

    Args:
        column: that is asked for.
        known: the table's columns.
        path: the table's file.
        hint: what to do; without it, the table's columns are listed.

    Raises:
        DataError: says which columns there are.
    """
    count = list(known).count(column)
    if count == 1:
        return
    if count > 1:
        raise DataError(
            f"{path} has {count} columns called '{column}'", hint="rename all but the one that holds the text"
        )
    meant = nearest(column, known)
    suggestion = "" if meant is None else f"; did you mean '{meant}'?"
    names = listed(known) or "none"
    raise DataError(f"{path} has no column '{column}'{suggestion}", hint=hint or f"columns: {names}")
