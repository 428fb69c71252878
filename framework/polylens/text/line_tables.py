"""Tables that are files of lines: where each row starts is found in one pass, when it is first needed."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polylens.errors import DataError
from polylens.text.encodings import another
from polylens.text.lines import Lines, line_format
from polylens.text.table_files import Reading, TableFile, text_of


class LineTable(TableFile):
    """The rows of a file of lines."""

    def __init__(self, path: Path, *, reading: Reading) -> None:
        self._path, self._reading = path, reading
        self._form = line_format(path, encoding=reading.encoding)
        self._starts: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self._row_starts())

    def read(self, rows: Sequence[int]) -> Iterator[tuple[str, str]]:
        """Text and problem of each of these rows, read from where it starts."""
        starts = self._row_starts()
        with self._open() as lines:
            for row in rows:
                lines.seek(starts[row])
                yield self._row(lines)

    def _row_starts(self) -> Sequence[int]:
        if self._starts is None:
            with self._open() as lines:
                self._starts = array("q", self._places(lines))
        return self._starts

    @contextmanager
    def _open(self) -> Iterator[Lines]:
        try:
            with self._path.open("rb") as stream:
                yield Lines(stream, self._form)
        except OSError as error:
            raise DataError(f"{self._path} cannot be read: {error.strerror}") from error

    def _cell(self, value: Any) -> tuple[str, str]:
        return text_of(
            value,
            column=self._reading.column,
            encoding=self._form.encoding,
            hint=another(self._reading.encoding),
        )

    @abstractmethod
    def _places(self, lines: Lines) -> Iterator[int]:
        """The offset in the file at which each row starts."""

    @abstractmethod
    def _row(self, lines: Lines) -> tuple[str, str]:
        """Text and problem of the row that these lines begin with."""
