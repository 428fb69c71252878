"""Documents that are rows of tables: Parquet, CSV, or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import numpy as np

from polylens.digests import digest
from polylens.errors import DataError
from polylens.folders import files_below, there_instead
from polylens.progress import Progress
from polylens.records import Skipped
from polylens.text.documents import Documents, TextDocument, gone
from polylens.text.file_digests import contents_digest
from polylens.text.table_files import Quotes, Reading, TableFile
from polylens.text.table_kinds import ENDINGS, open_table, why_no_table

_VERSION = 2
"""Raised when the same files give other documents; part of every fingerprint."""


class TextTables(Documents):
    """One column of a table, or of all tables in a folder, sorted by their path; a row is a document.

    Documents are called `FILE:ROW`, rows counted from 1. Files of a folder that are no tables are passed over
    and named in `skipped`, empty ones as well.

    Args:
        file: the table or the folder.
        column: that holds the text.
        encoding: how CSV and JSON lines are encoded; None takes a file's mark of byte order, or UTF-8.
        delimiter: what parts fields of CSV; None takes a comma, and in TSV a tab.
        quotes: `double` (RFC 4180) or `none`: whether quotation marks quote fields of CSV; None takes
            `double`, and refuses files where that cannot be told from marks that are part of the text.

    Raises:
        DataError: there is no table, or one is damaged or lacks the column.
    """

    def __init__(
        self,
        file: Path,
        *,
        column: str,
        encoding: str | None = None,
        delimiter: str | None = None,
        quotes: Quotes | None = None,
    ) -> None:
        self.title = str(file)
        self._reading = Reading(column=column, encoding=encoding, delimiter=delimiter, quotes=quotes)
        self._root = file if file.is_dir() else file.parent
        names = self._names_below(file) if file.is_dir() else [file.name]
        if not file.exists() or not names:
            what = "no table in it" if file.is_dir() else there_instead(file)
            raise DataError(
                f"no table at {file}: there is {what}",
                hint="\n  ".join(
                    [
                        f"a file, or a folder of files, ending in {' '.join(ENDINGS)}",
                        *(f"{item.example_id}: {item.reason}" for item in self.skipped[:3]),
                    ]
                ),
            )
        self._tables: dict[str, TableFile] = {
            name: open_table(self._root / name, reading=self._reading) for name in names
        }
        self._starts = np.cumsum([0, *(len(table) for table in self._tables.values())])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def fingerprint(self, *, cache: Path | None, progress: Progress) -> str:
        """Digest of names and contents, remembered while a file stays as it is, and of how it is read."""
        files = [(name, self._root / name) for name in self._tables]
        contents = contents_digest(files, root=self._root, cache=cache, progress=progress)
        return digest({"version": _VERSION, "contents": contents, "reading": asdict(self._reading)})

    def read(self, numbers: Sequence[int]) -> Iterator[TextDocument]:
        """These rows one by one; ascending numbers are read in one pass."""
        tables = list(self._tables.items())
        asked = np.asarray(numbers, dtype=np.int64)
        table_of = np.searchsorted(self._starts, asked, side="right") - 1
        cuts = np.flatnonzero(np.diff(table_of)) + 1
        for part, of in zip(np.split(asked, cuts), np.split(table_of, cuts), strict=True):
            if not len(part):
                continue
            name, table = tables[of[0]]
            rows = (part - self._starts[of[0]]).tolist()
            for row, (text, problem) in zip(rows, table.read(rows), strict=True):
                yield TextDocument(f"{name}:{row + 1}", text, problem)

    def text(self, name: str) -> str:
        """One row's text, read again."""
        file, _, row = name.rpartition(":")
        try:
            text, problem = next(iter(self._tables[file].read([int(row) - 1])))
        except (DataError, ValueError, IndexError, StopIteration) as error:
            raise gone(name, title=self.title, why=str(error)) from error
        if problem:
            raise gone(name, title=self.title, why=problem)
        return text

    def _names_below(self, folder: Path) -> list[str]:
        """The tables of a folder, in the order of their paths; all else is put down in `skipped`."""
        below = files_below(folder)
        names, skipped = [], list(below.skipped)
        for name in sorted(below.files, key=PurePosixPath):
            problem = why_no_table(folder / name)
            if not problem and not (folder / name).stat().st_size:
                problem = "an empty file"
            if problem:
                skipped.append(Skipped(name, problem))
            else:
                names.append(name)
        self.skipped = tuple(skipped)
        return names
