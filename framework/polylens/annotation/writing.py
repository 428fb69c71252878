"""Sheets as files that spreadsheets and editors open."""

from __future__ import annotations

import csv
import io
import json

from polylens.annotation.contents import FILLED, Sheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins like this is computed by spreadsheets."""


def csv_of(sheet: Sheet) -> bytes:
    """The sheet as CSV (RFC 4180) in UTF-8, with the mark that Excel knows it by.

    Texts of data that a spreadsheet would compute get an apostrophe before them.
    """
    first = sheet.lines[0] if sheet.lines else None
    is_open = first is not None and first.cluster is not None
    labelers = list(first.labels) if first is not None else []
    n_shown = max((len(line.shown) for line in sheet.lines), default=0)
    columns = ["sheet", "id", *(["cluster", "size"] if is_open else [])]
    columns += [f"label of {name}" for name in labelers] + list(FILLED)
    columns += [f"row {number}" for number in range(1, n_shown + 1)]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    for line in sheet.lines:
        cells: list[object] = [sheet.name, line.id, *([line.cluster, line.size] if is_open else [])]
        cells += [_inert(line.labels.get(name, "")) for name in labelers] + [""] * len(FILLED)
        cells += [_inert(text) for text in line.shown] + [""] * (n_shown - len(line.shown))
        writer.writerow(cells)
    return stream.getvalue().encode("utf-8-sig")


def json_of(sheet: Sheet) -> bytes:
    """The sheet as JSON in UTF-8: a map with the list `lines`, which `read_sheet` reads when it is filled."""
    lines = [
        {
            "id": line.id,
            **({} if line.cluster is None else {"cluster": line.cluster, "size": line.size}),
            **({"labels": dict(line.labels)} if line.labels else {}),
            **dict.fromkeys(FILLED, ""),
            "rows": list(line.shown),
        }
        for line in sheet.lines
    ]
    plain = {"sheet": sheet.name, "run": sheet.run, "of": sheet.of, "lines": lines}
    return (json.dumps(plain, indent=1, ensure_ascii=False) + "\n").encode()


def _inert(text: str) -> str:
    """The text in a form that no spreadsheet computes.

    >>> _inert("=1+1"), _inert("one")
    ("'=1+1", 'one')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
