"""A column of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from polylens.errors import DataError
from polylens.text.table_files import TableFile, need_column, text_of

_BATCH = 64
"""Rows that are in memory at once."""


class ParquetTable(TableFile):
    """The rows of a Parquet file: strings of any of Arrow's types, in a dictionary or not.

    Raises:
        DataError: the file is damaged, or the column is not there or holds no text.
    """

    def __init__(self, path: Path, *, column: str) -> None:
        self._path, self._column = path, column
        with self._open() as file:
            self._sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
            schema = file.schema_arrow
        need_column(column, schema.names, path=path)
        kind = schema.field(schema.get_field_index(column)).type
        if not _holds_text(kind):
            raise DataError(
                f"column '{column}' of {path} holds {kind}, not text", hint="name a column of strings"
            )

    def __len__(self) -> int:
        return sum(self._sizes)

    def read(self, rows: Sequence[int]) -> Iterator[tuple[str, str]]:
        """These rows; rising ones in one pass."""
        if any(later <= earlier for earlier, later in pairwise(rows)):
            for number in rows:
                yield from self.read([number])
            return
        wanted = iter(rows)
        row = next(wanted, None)
        with self._open() as file:
            start = 0
            for group, size in enumerate(self._sizes):
                stop = start + size
                if row is not None and row < stop:
                    for values in self._columns(file, group):
                        while row is not None and row < start + len(values):
                            yield _cell(values[row - start], column=self._column)
                            row = next(wanted, None)
                        start += len(values)
                        if row is None or row >= stop:
                            break
                start = stop

    def _columns(self, file: Any, group: int) -> Iterator[Any]:
        import pyarrow as pa

        batches = file.iter_batches(_BATCH, row_groups=[group], columns=[self._column])
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise _damage_error(self._path, error) from error
            if batch is None:
                return
            # Parquet also gives columns whose names go on after a dot (`text.raw` for `text`).
            yield batch.column(batch.schema.get_field_index(self._column))

    def _open(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as error:
            raise _damage_error(self._path, error) from error


def _holds_text(kind: Any) -> bool:
    import pyarrow as pa

    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    # A column of nothing but missing values has no type of its own.
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(value) for test in tests)


def _cell(scalar: Any, *, column: str) -> tuple[str, str]:
    try:
        return text_of(scalar.as_py(), column=column)
    except UnicodeDecodeError:
        return "", "not UTF-8"


def _damage_error(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read as Parquet: {error}")
