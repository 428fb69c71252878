"""A column of CSV or TSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from polylens.errors import DataError
from polylens.text.line_tables import LineTable
from polylens.text.lines import Lines
from polylens.text.quoting import Doubt
from polylens.text.table_files import Reading, need_column, text_of

_FIELD_LIMIT = 2**31 - 1
"""Python's csv refuses fields of more than 128 KiB unless told otherwise."""
_DELIMITERS = {",": "','", ";": "';'", "\t": '"\\t"', "|": "'|'"}
"""What parts fields, and how YAML has it."""
_HINT = (
    "where quotation marks are part of the text, set 'quotes: none'; where they quote fields, one inside "
    "of a field is written twice (RFC 4180)"
)


class CsvTable(LineTable):
    """The rows of CSV as RFC 4180 has it, or without quoting. Blank lines are rows in a column alone.

    Raises:
        DataError: there is no such column, or quotation marks do not show where rows end.
    """

    def __init__(self, path: Path, *, reading: Reading, delimiter: str) -> None:
        super().__init__(path, reading=reading)
        self._delimiter = reading.delimiter or delimiter
        with self._open() as lines:
            header = next(self._records(lines), [])
        if not header:
            raise DataError(f"{path} is empty: not even names of columns are in it")
        for name in header:
            _, problem = text_of(name, column="", encoding=self._form.encoding)
            if problem:
                raise DataError(
                    f"the first line of {path} is {problem}",
                    hint="set 'encoding', such as 'encoding: cp1252'",
                )
        need_column(reading.column, header, path=path, hint=self._other_delimiter(header))
        self._index, self._width = header.index(reading.column), len(header)

    def _places(self, lines: Lines) -> Iterator[int]:
        doubt = None
        if self._reading.quotes is None:
            doubt = Doubt(delimiter=self._delimiter, width=self._width)
        passed = False
        for start, number, raw, row in self._spans(lines):
            if not row and (not passed or self._width > 1):
                continue
            if passed:
                yield start
            passed = True
            why = None if doubt is None else doubt.of(raw, line=number)
            if why is not None:
                raise DataError(f"{self._path}: {why}", hint=f"{_HINT}; 'quotes: double' says that they do")

    def _row(self, lines: Lines) -> tuple[str, str]:
        try:
            row = next(self._reader(lines))
        except csv.Error:
            # All else that Python refuses has refused the file.
            return "", "a line end (CR) stands in a field that is not quoted"
        if len(row) != self._width and not (not row and self._width == 1):
            return "", f"the row has {len(row)} fields, and the header {self._width}"
        return self._cell(row[self._index] if row else None)

    def _records(self, lines: Lines) -> Iterator[list[str]]:
        return (row for _, _, _, row in self._spans(lines) if row)

    def _spans(self, lines: Lines) -> Iterator[tuple[int, int, list[str], list[str]]]:
        """Where each row starts, the number of its first line, its lines, and its fields (none where blank).

        A row that cannot be read, of one line, comes with one field.
        """
        kept: list[str] = []

        def remember() -> Iterator[str]:
            for line in lines:
                kept.append(line)
                yield line

        reader = self._reader(remember())
        while True:
            kept.clear()
            start, number = lines.position, lines.count + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "new-line" not in str(error) or len(kept) > 1:
                    raise DataError(f"{self._path}: {_in_words(error, number)}", hint=_HINT) from None
                # A CR in an unquoted field of a file whose lines end otherwise: the row says so itself.
                row = [""]
            yield start, number, kept, row

    def _reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        csv.field_size_limit(_FIELD_LIMIT)
        if self._reading.quotes == "none":
            return csv.reader(lines, delimiter=self._delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self._delimiter, strict=True)

    def _other_delimiter(self, header: list[str]) -> str | None:
        """What to do where the header has the column as soon as it is cut otherwise."""
        for other, written in _DELIMITERS.items():
            if other != self._delimiter and len(header) == 1:
                cut = [name.strip('"') for name in header[0].split(other)]
                if self._reading.column in cut:
                    return f"its fields seem to be parted otherwise: set 'delimiter: {written}'"
        return None


def _in_words(error: csv.Error, line: int) -> str:
    if "end of data" in str(error):
        return f"a quotation mark in the row that begins in line {line} is never closed"
    return f"in the row that begins in line {line} a field goes on after the quotation mark that closes it"
