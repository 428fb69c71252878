"""One table on disk, whose rows are read where they lie."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from polylens.errors import DataError, listed, nearest

ENDINGS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")
_FIELD_LIMIT = 2**31 - 1
"""Python's csv refuses fields of more than 128 KiB unless told otherwise."""
_BATCH = 64
"""Rows of a Parquet file that are in memory at once."""


class TableFile(ABC):
    """The rows of one file."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of rows."""

    @abstractmethod
    def read(self, rows: Sequence[int]) -> Iterator[tuple[str, str]]:
        """Text and problem of each of these rows (counted from 0); one of the two is empty."""


def open_table(path: Path, *, column: str) -> TableFile:
    """The rows of a file.

    Raises:
        DataError: the ending is unknown, the file is damaged, or has no such column of text.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise DataError(f"{path} is no table that can be read", hint=f"endings read: {' '.join(ENDINGS)}")
    if ending == ".parquet":
        return _Parquet(path, column=column)
    if ending in (".csv", ".tsv"):
        return _Csv(path, column=column, delimiter="\t" if ending == ".tsv" else ",")
    return _JsonLines(path, column=column)


class _Parquet(TableFile):
    def __init__(self, path: Path, *, column: str) -> None:
        import pyarrow as pa

        self._path, self._column = path, column
        with self._opened() as file:
            self._sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
            schema = file.schema_arrow
        _need(column, schema.names, path=path)
        kind = schema.field(column).type
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(value) or pa.types.is_large_string(value)):
            raise DataError(
                f"column '{column}' of {path} holds {kind}, not text", hint="name a column of strings"
            )

    def __len__(self) -> int:
        return sum(self._sizes)

    def read(self, rows: Sequence[int]) -> Iterator[tuple[str, str]]:
        if any(later <= earlier for earlier, later in pairwise(rows)):
            for number in rows:
                yield from self.read([number])
            return
        wanted = iter(rows)
        row = next(wanted, None)
        with self._opened() as file:
            start = 0
            for group, size in enumerate(self._sizes):
                stop = start + size
                if row is not None and row < stop:
                    for batch in file.iter_batches(_BATCH, row_groups=[group], columns=[self._column]):
                        values = batch.column(0)
                        while row is not None and row < start + len(values):
                            yield _value(values[row - start], column=self._column)
                            row = next(wanted, None)
                        start += len(values)
                        if row is None or row >= stop:
                            break
                start = stop

    def _opened(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self._path)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{self._path} cannot be read as Parquet: {error}") from error


class _Lines(TableFile):
    """A file of lines: where each row starts is found in one pass, when it is first needed."""

    def __init__(self, path: Path, *, column: str) -> None:
        self._path, self._column = path, column
        self._starts: array[int] | None = None

    def __len__(self) -> int:
        return len(self._found())

    def read(self, rows: Sequence[int]) -> Iterator[tuple[str, str]]:
        starts = self._found()
        with self._path.open("rb") as stream:
            for row in rows:
                stream.seek(starts[row])
                yield self._row(_decoded(stream))

    def _found(self) -> array[int]:
        if self._starts is None:
            with self._path.open("rb") as stream:
                self._starts = array("q", self._places(stream))
        return self._starts

    @abstractmethod
    def _places(self, stream: Any) -> Iterator[int]:
        """Where each row starts."""

    @abstractmethod
    def _row(self, lines: Iterator[str]) -> tuple[str, str]:
        """The row that these lines begin with."""


class _Csv(_Lines):
    def __init__(self, path: Path, *, column: str, delimiter: str) -> None:
        super().__init__(path, column=column)
        self._delimiter = delimiter
        with path.open("rb") as stream:
            header = next(self._rows(_decoded(stream)), [])
        _need(column, header, path=path)
        self._index = header.index(column)

    def _places(self, stream: Any) -> Iterator[int]:
        lines = _Counted(stream)
        rows = self._rows(lines)
        next(rows, None)
        start = lines.position
        for row in rows:
            if row:
                yield start
            start = lines.position

    def _row(self, lines: Iterator[str]) -> tuple[str, str]:
        row = next(self._rows(lines))
        if len(row) <= self._index:
            return "", f"the row has no '{self._column}'"
        return _text(row[self._index], column=self._column)

    def _rows(self, lines: Iterator[str]) -> Iterator[list[str]]:
        csv.field_size_limit(_FIELD_LIMIT)
        return csv.reader(lines, delimiter=self._delimiter)


class _JsonLines(_Lines):
    def __init__(self, path: Path, *, column: str) -> None:
        super().__init__(path, column=column)
        with path.open("rb") as stream:
            first = next((line for line in _decoded(stream) if line.strip()), "")
        try:
            row = json.loads(first)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise DataError(
                f"{path} holds no JSON lines", hint='expected is one object a line: {"text": "..."}'
            )
        _need(column, list(row), path=path)

    def _places(self, stream: Any) -> Iterator[int]:
        position = 0
        for line in stream:
            if line.strip():
                yield position
            position += len(line)

    def _row(self, lines: Iterator[str]) -> tuple[str, str]:
        try:
            row = json.loads(next(lines))
        except ValueError:
            return "", "the line is not JSON"
        if not isinstance(row, dict) or self._column not in row:
            return "", f"the line has no '{self._column}'"
        return _text(row[self._column], column=self._column)


class _Counted:
    """Lines of a file, and how many bytes of it they made so far."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.position = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line: bytes = next(self._stream)
        first = self.position == 0
        self.position += len(line)
        return line.decode("utf-8-sig" if first else "utf-8", errors="surrogateescape")


def _decoded(stream: Any) -> Iterator[str]:
    """Lines as text; what is not UTF-8 comes as stand-ins, which `_text` finds."""
    lines = _Counted(stream)
    lines.position = stream.tell()
    return lines


def _value(scalar: Any, *, column: str) -> tuple[str, str]:
    try:
        return _text(scalar.as_py(), column=column)
    except UnicodeDecodeError:
        return "", "not UTF-8"


def _text(value: Any, *, column: str) -> tuple[str, str]:
    if value is None:
        return "", "empty"
    if not isinstance(value, str):
        return "", f"'{column}' is no text but {type(value).__name__}"
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        return "", "not UTF-8"
    return value, ""


def _need(column: str, known: Sequence[str], *, path: Path) -> None:
    if column in known:
        return
    meant = nearest(column, known)
    suggestion = "" if meant is None else f"; did you mean '{meant}'?"
    names = listed(known) or "none"
    raise DataError(f"{path} has no column '{column}'{suggestion}", hint=f"columns: {names}")
