"""Tables as files: Parquet for the whole, CSV for as much as MLflow's page can show."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from polylens.tracking.names import text

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_CELL = 1000
"""Characters of a cell in the preview."""


def parquet(table: pd.DataFrame) -> bytes:
    """The whole table, the same bytes for the same table. Columns that Parquet cannot hold become text."""
    import pyarrow as pa

    named = table.set_axis(_column_names(table), axis=1)
    try:
        return _parquet(named)
    except (pa.ArrowException, TypeError, ValueError, UnicodeError):
        # Columns of mixed or unknown types: their printed form is kept rather than nothing.
        return _parquet(_plain(named))


def preview(table: pd.DataFrame, *, rows: int, n_bytes: int) -> tuple[bytes, int]:
    """The table's first rows as CSV, and how many they are: at most `rows`, and below `n_bytes`.

    >>> import pandas as pd
    >>> preview(pd.DataFrame({"a": [1, 2, 3]}), rows=2, n_bytes=1000)
    (b'a\\n1\\n2\\n', 2)
    """
    shown = min(rows, len(table))
    while True:
        written = _csv(table.head(shown))
        if len(written) < n_bytes or shown == 0:
            return written[: n_bytes - 1], shown
        # Rows differ in length, so aim a little below the share that would just fit.
        shown = min(shown - 1, int(shown * 0.9 * n_bytes / len(written)))


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _csv(table: pd.DataFrame) -> bytes:
    short = table.set_axis([name[:_LONGEST_CELL] for name in _column_names(table)], axis=1)
    for position, kind in enumerate(short.dtypes):
        if kind.kind not in "biufcM":
            column = [_cell(value) for value in short.iloc[:, position]]
            short.isetitem(position, column)
    return short.to_csv(index=False, lineterminator="\n").encode()


def _column_names(table: pd.DataFrame) -> list[str]:
    """The columns' names as text; a name that came before gets its number, for Parquet takes each once."""
    names: list[str] = []
    for column in table.columns:
        name = text(str(column))
        while name in names:
            name = f"{name}.{len(names) + 1}"
        names.append(name)
    return names


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    written = text(value if isinstance(value, str) else str(value))
    return written if len(written) <= _LONGEST_CELL else written[: _LONGEST_CELL - 3] + "..."


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    plain = table.copy()
    for position, kind in enumerate(plain.dtypes):
        if kind.kind not in "biufcM":
            values = [None if value is None else text(str(value)) for value in plain.iloc[:, position]]
            plain.isetitem(position, values)
    return plain
