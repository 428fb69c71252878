"""Filled sheets, read back in whatever dialect a spreadsheet or an editor wrote them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from polylens.annotation.contents import FILLED, VERDICTS, FilledLine, FilledSheet
from polylens.annotation.dates import Dates
from polylens.errors import UsageError, nearest
from polylens.records import Meanings
from polylens.text.encodings import UnreadableTextError, as_text

_NEEDED = ("sheet", "id", "label", "verdict", "author")
_READ = ("sheet", "id", "cluster", *FILLED)
_DELIMITERS = (",", ";", "\t", "|")
_TOLD = re.compile(r"sep=(.)\n?", re.IGNORECASE)
"""The line by which Excel tells how the fields of a file are parted."""
_LINES = re.compile(r'(?<!\\)"lines"\s*:\s*\[')
_Cells = Mapping[str, str]


def read_sheet(path: Path) -> FilledSheet:
    """The lines of a filled sheet that say something: CSV, or JSON where its name ends so.

    Fields of CSV may be parted by commas, semicolons, tabs or bars; the text may have any mark of byte order
    and any line ends. Lines without label, verdict and note are passed over. What is wrong in the file is
    noted in what comes out, line by line, and refused by its `check`.

    Args:
        path: the file.

    Raises:
        UsageError: it cannot be read at all, or it is no sheet.
    """
    try:
        text = as_text(path.read_bytes(), encoding=None)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnreadableTextError as error:
        said = str(error).partition(" ('encoding'")[0]
        raise UsageError(f"{path} is {said}", hint="save it as 'CSV UTF-8', or as Unicode text") from error
    found = _json_lines(text, path) if path.suffix.lower() == ".json" else _csv_lines(text, path)
    sheet = FilledSheet(path.name)
    filled = [
        (line, cells, problem)
        for line, cells, problem in found
        if problem or any(cells.get(name) for name in ("label", "verdict", "note"))
    ]
    dates = Dates(cells.get("date", "") for _, cells, _ in filled)
    for line, cells, problem in filled:
        if problem:
            sheet.mistake(line, problem)
        else:
            sheet.lines.append(_filled_line(line, cells, sheet, dates))
    _check_repeats(sheet)
    return sheet


def _filled_line(line: int, cells: _Cells, sheet: FilledSheet, dates: Dates) -> FilledLine:
    """One line as it stands; what is wrong with it goes to the sheet."""
    verdict = cells.get("verdict", "").lower()
    if verdict and verdict not in VERDICTS:
        near = nearest(verdict, VERDICTS)
        meant = f"did you mean '{near}'?" if near else f"it is {', '.join(VERDICTS)}, or empty"
        sheet.mistake(line, f"no verdict '{cells['verdict']}'; {meant}")
        verdict = ""
    if not cells.get("author"):
        sheet.mistake(line, "who says so? the column 'author' is empty")
    elif not cells["author"].isprintable():
        sheet.mistake(line, "the author's name has characters that cannot be printed")
    day = ""
    try:
        day = dates.iso(cells.get("date", ""))
    except ValueError as error:
        sheet.mistake(line, str(error))
    return FilledLine(
        line=line,
        sheet=cells.get("sheet", ""),
        id=cells.get("id", ""),
        label=cells.get("label", ""),
        verdict=cast(Meanings, verdict),
        note=cells.get("note", ""),
        author=cells.get("author", ""),
        date=day,
        cluster=cells.get("cluster", ""),
    )


def _check_repeats(sheet: FilledSheet) -> None:
    """Notes every line in which an author speaks of a group for a second time."""
    first: dict[tuple[str, str, str], int] = {}
    for line in sheet.lines:
        before = first.setdefault((line.sheet, line.id, line.author), line.line)
        if before != line.line and line.author:
            sheet.mistake(line.line, f"{line.author} has judged '{line.id}' in line {before} already")


def _csv_lines(text: str, path: Path) -> Iterator[tuple[int, _Cells, str]]:
    """The number of each line of CSV, its cells by column, and what is wrong with it."""
    told = _TOLD.match(text.replace("\r\n", "\n").replace("\r", "\n"))
    delimiters = (told[1],) if told else _DELIMITERS
    for delimiter in delimiters:
        rows = _rows(text, delimiter, skipped=int(told is not None))
        try:
            _, header = next(rows, (0, []))
        except csv.Error:
            continue
        columns = [name.strip().lower() for name in header]
        if set(_NEEDED) <= set(columns):
            break
    else:
        raise _no_sheet(path, "a first line with")
    number = 1
    try:
        for number, cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            spare = [cell for cell in cells[len(columns) :] if cell.strip()]
            wrong = f"{len(cells)} fields, and the first line has {len(columns)}" if spare else ""
            by_name = {
                name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name in _READ
            }
            yield number, by_name, wrong
    except csv.Error as error:
        yield number + 1, {}, f"the quotation marks of a line from here on do not fit ({error})"


def _rows(text: str, delimiter: str, *, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """The rows of CSV, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, strict=True)
    before = 0
    for cells in reader:
        number, before = before + 1, reader.line_num
        if number > skipped:
            yield number, cells


def _json_lines(text: str, path: Path) -> Iterator[tuple[int, _Cells, str]]:
    """The number of the line on which each entry begins, its cells by column, and what is wrong with it."""
    try:
        plain = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}") from error
    start = _LINES.search(text)
    if not isinstance(plain, dict) or not isinstance(plain.get("lines"), list) or start is None:
        raise _no_sheet(path, "a map with the list 'lines', and in each of its entries")
    decoder, at = json.JSONDecoder(), start.end()
    for _ in plain["lines"]:
        at = re.compile(r"[\s,]*").match(text, at).end()  # type: ignore[union-attr]
        number = text.count("\n", 0, at) + 1
        entry, at = decoder.raw_decode(text, at)
        lacking = [] if isinstance(entry, dict) else ["{"]
        if isinstance(entry, dict):
            entry = {"sheet": plain.get("sheet", ""), **entry}
            lacking = [name for name in _NEEDED if name not in entry]
        if lacking:
            yield number, {}, f"the entry lacks {', '.join(lacking)}"
            continue
        cells = {name: entry[name] for name in _READ if entry.get(name) is not None}
        strange = [name for name, value in cells.items() if not _is_cell(name, value)]
        wrong = f"{', '.join(strange)}: a text is needed here" if strange else ""
        yield number, {name: str(value).strip() for name, value in cells.items()}, wrong


def _is_cell(name: str, value: Any) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str) or (name == "cluster" and is_number)


def _no_sheet(path: Path, where: str) -> UsageError:
    return UsageError(
        f"{path} is no sheet of `polylens label`: {where} {', '.join(_NEEDED)} is needed",
        hint="fill one that `polylens label RUN --export FILE` wrote, and leave its columns as they are",
    )
