"""A key of a file of JSON objects, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polylens.errors import DataError
from polylens.text.line_tables import LineTable
from polylens.text.lines import Lines
from polylens.text.table_files import Reading, need_column


class JsonLinesTable(LineTable):
    """The rows of a file of JSON lines; blank lines are none.

    Raises:
        DataError: no line holds an object, or none has the column.
    """

    def __init__(self, path: Path, *, reading: Reading) -> None:
        super().__init__(path, reading=reading)
        known: dict[str, None] = {}
        with self._open() as lines:
            # The first lines may be damaged, or lack a key that later ones have.
            for line in lines:
                keys = _keys(line)
                known |= dict.fromkeys(keys)
                if reading.column in keys:
                    return
        if not known:
            raise DataError(
                f"{path} holds no JSON lines", hint='expected is one object a line: {"text": "..."}'
            )
        need_column(reading.column, list(known), path=path)

    def _places(self, lines: Lines) -> Iterator[int]:
        start = lines.position
        for line in lines:
            if line.strip():
                yield start
            start = lines.position

    def _row(self, lines: Lines) -> tuple[str, str]:
        column = self._reading.column
        try:
            row = _parse(next(lines))
        except (ValueError, RecursionError):
            return "", "the line is not JSON"
        values = [value for key, value in row if key == column] if isinstance(row, _Pairs) else []
        if len(values) != 1:
            return "", f"the line has {'no' if not values else len(values)} '{column}'"
        return self._cell(values[0])


class _Pairs(tuple[tuple[str, Any], ...]):
    """An object's keys and values, with keys that it has twice."""


def _parse(line: str) -> Any:
    return json.loads(line, object_pairs_hook=_Pairs)


def _keys(line: str) -> list[str]:
    try:
        row = _parse(line)
    except (ValueError, RecursionError):
        return []
    return [key for key, _ in row] if isinstance(row, _Pairs) else []
