"""Whether the quotation marks of a table quote its fields, where that can be told from the rows alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


class Doubt:
    """Watches the rows of a table that is read as RFC 4180 has it, for signs that it is not written so.

    Where quotation marks are letters like others, one at the start of a field opens a quotation that swallows
    all rows up to the next mark before a delimiter or the end of a line. What comes out is a valid row.

    Args:
        delimiter: what parts fields.
        width: fields of a row.
    """

    def __init__(self, *, delimiter: str, width: int) -> None:
        self._delimiter, self._width = delimiter, width
        mark = re.escape(delimiter)
        self._quoted = re.compile(f'(?:^|(?<={mark}))"(?:[^"]|"")*"(?={mark}|[\\r\\n]*$)')
        self._long = self._bare = 0
        """The first line of a row of several lines, and of one with a mark in a field that is not quoted."""

    def of(self, lines: Sequence[str], *, line: int) -> str | None:
        """Why the rows so far may not be what they seem; None where nothing speaks against them.

        Args:
            lines: the lines of the next row, each with its end.
            line: number of the first of them.
        """
        if len(lines) > 1:
            self._long = self._long or line
            if self._swallows_rows(lines):
                return (
                    f"the quoted field that begins in line {line} seems to hold whole rows: each of the "
                    f"{len(lines)} lines up to its end has {self._width} fields of its own"
                )
        elif '"' in lines[0] and '"' in self._quoted.sub("", lines[0]):
            self._bare = self._bare or line
        if self._long and self._bare:
            return (
                f"line {self._bare} has a quotation mark in a field that is not quoted, and in line "
                f"{self._long} one opens a field of several lines: which of them quote cannot be told"
            )
        return None

    def _swallows_rows(self, lines: Sequence[str]) -> bool:
        if self._width < 2:
            return False
        rows = [line.rstrip("\r\n").split(self._delimiter) for line in lines]
        if any(len(row) != self._width for row in rows):
            return False
        # Lines of text with a comma each are nothing rare; with a tab each, or below numbers, they are.
        return self._delimiter == "\t" or any(
            all(_NUMBER.fullmatch(row[column].strip()) for row in rows) for column in range(self._width)
        )
