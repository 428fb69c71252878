"""Documents that are rows of tables: Parquet, CSV, or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from polylens.errors import DataError
from polylens.progress import Progress
from polylens.text.documents import Document, Documents, gone
from polylens.text.file_digests import contents_digest
from polylens.text.table_files import ENDINGS, TableFile, open_table


class TextTables(Documents):
    """One column of a table, or of all tables in a folder, sorted by their path; a row is a document.

    Documents are called `FILE:ROW`, rows counted from 1.

    Raises:
        DataError: there is no table, or one lacks the column.
    """

    def __init__(self, file: Path, *, column: str) -> None:
        self.title = str(file)
        self._root = file if file.is_dir() else file.parent
        found = (
            sorted(path for path in file.rglob("*") if path.suffix.lower() in ENDINGS)
            if file.is_dir()
            else [file]
        )
        if not file.exists() or not found:
            what = "no table in it" if file.is_dir() else "nothing"
            raise DataError(
                f"no table at {file}: there is {what}",
                hint=f"a file, or a folder of files, ending in {' '.join(ENDINGS)}",
            )
        self._tables: dict[str, TableFile] = {
            path.relative_to(self._root).as_posix(): open_table(path, column=column) for path in found
        }
        self._starts = np.cumsum([0, *(len(table) for table in self._tables.values())])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def fingerprint(self, *, cache: Path | None, progress: Progress) -> str:
        """Digest of all names and contents, remembered while a file stays as it is."""
        files = [(name, self._root / name) for name in self._tables]
        return contents_digest(files, root=self._root, cache=cache, progress=progress)

    def read(self, numbers: Sequence[int]) -> Iterator[Document]:
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
                yield Document(f"{name}:{row + 1}", text, problem)

    def text(self, name: str) -> str:
        """One row's text, read again."""
        file, _, row = name.rpartition(":")
        try:
            text, problem = next(iter(self._tables[file].read([int(row) - 1])))
        except (OSError, ValueError, IndexError, StopIteration) as error:
            raise gone(name, title=self.title, why=str(error)) from error
        if problem:
            raise gone(name, title=self.title, why=problem)
        return text
