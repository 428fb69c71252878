"""Sheets in the dialects of spreadsheets and editors, and what is refused of them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from polylens.annotation import Sheet, SheetLine, csv_of, json_of, read_sheet
from polylens.errors import UsageError

SHEET = Sheet(
    "bdfg",
    "a run",
    "clusters",
    (
        SheetLine("kkkk", ("a «b» c", "=1+1"), cluster=0, size=9, labels={"digits": "-3"}),
        SheetLine("mmmm", ("ä «ö» ü",), cluster=1, size=5, labels={"digits": "no name"}),
        SheetLine("nnnn", (), cluster=2, size=4, labels={"digits": "six"}),
    ),
)
HEADER = "sheet,id,label,verdict,note,author,date"


def filled(sheet: bytes, **cells: str) -> list[list[str]]:
    """The rows of a CSV sheet with cells of the first cluster filled."""
    rows = list(csv.reader(io.StringIO(sheet.decode("utf-8-sig"))))
    for column, text in cells.items():
        rows[1][rows[0].index(column)] = text
    return rows


def put(folder: Path, text: str | bytes, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def mistakes(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_sheet(path).check(undone="nothing was imported")
    return str(caught.value)


def test_a_sheet_has_a_line_a_cluster_and_nothing_that_a_spreadsheet_computes():
    rows = filled(csv_of(SHEET))
    assert rows[0] == [
        *("sheet", "id", "cluster", "size", "label of digits"),
        *("label", "verdict", "note", "author", "date", "row 1", "row 2"),
    ]
    assert [row[:5] for row in rows[1:]] == [
        ["bdfg", "kkkk", "0", "9", "'-3"],
        ["bdfg", "mmmm", "1", "5", "no name"],
        ["bdfg", "nnnn", "2", "4", "six"],
    ]
    assert rows[1][-2:] == ["a «b» c", "'=1+1"]


def test_a_blind_line_tells_neither_cluster_nor_size_nor_labels():
    bare = replace(SHEET, lines=(SheetLine("kkkk", ("a",)),))
    assert filled(csv_of(bare))[0] == ["sheet", "id", *HEADER.split(",")[2:], "row 1"]
    assert set(json.loads(json_of(bare))["lines"][0]) == {"id", "rows", *HEADER.split(",")[2:]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_dialect_gives_the_same_lines(tmp_path, delimiter, ends, encoding):
    said = {"label": 'Häuser; "alt",\nneu', "verdict": " One ", "author": "Anna", "date": "30.11.2026"}
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator=ends).writerows(filled(csv_of(SHEET), **said))
    told = f"sep={delimiter}{ends}" if encoding == "utf-8" else ""
    (line,) = read_sheet(put(tmp_path, (told + stream.getvalue()).encode(encoding))).check(undone="")
    assert (line.sheet, line.id, line.cluster) == ("bdfg", "kkkk", "0")
    assert (line.label, line.verdict, line.author) == ('Häuser; "alt",\nneu', "one", "Anna")
    assert (line.date, line.line) == ("2026-11-30", 3 if told else 2)


def test_json_gives_the_same_lines_however_it_is_laid_out(tmp_path):
    plain = json.loads(json_of(SHEET))
    plain["lines"][2] |= {"verdict": "several", "author": "Ben"}
    for indent in (None, 2, "\t"):
        text = json.dumps(plain, indent=indent)
        (line,) = read_sheet(put(tmp_path, text, "labels.json")).check(undone="")
        assert (line.sheet, line.id, line.cluster, line.verdict) == ("bdfg", "nnnn", "2", "several")
        before = text[: text.index('{"id": "nnnn"') if indent is None else text.index('"nnnn"')]
        assert line.line == before.count("\n") + (1 if indent is None else 0)


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path):
    lines = [
        "s,a,x,both,,anna,2026-11-30",
        "s,b,x,one,,,",
        "s,c,x,onee,,ben,2026-02-30",
        "s,a,x,one,,anna,",
        "",
        's,d,"two\nlines",one,,cleo,soon',
        "s,e,,one,,cleo,,,more",
    ]
    said = mistakes(put(tmp_path, "\n".join([HEADER, *lines])))
    assert said.startswith("7 mistakes in labels.csv; nothing was imported")
    assert "labels.csv:2: no verdict 'both'; it is one, several, unclear, or empty" in said
    assert "labels.csv:3: who says so?" in said
    assert "labels.csv:4: no verdict 'onee'; did you mean 'one'?" in said
    assert "labels.csv:4: '2026-02-30' is no day of any year" in said
    assert "labels.csv:5: anna has judged 'a' in line 2 already" in said
    assert "labels.csv:7: 'soon' is no date" in said
    assert "labels.csv:9: 9 fields, and the first line has 7" in said


def test_two_people_may_fill_one_sheet(tmp_path):
    path = put(tmp_path, f"{HEADER}\ns,a,,one,,anna,\ns,a,,several,,ben,\ns,b,,,,ben,\n")
    assert [(line.author, line.verdict) for line in read_sheet(path).check(undone="")] == [
        ("anna", "one"),
        ("ben", "several"),
    ]


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (["11/30/2026", "3/4/2026"], ["2026-11-30", "2026-03-04"]),
        (["30/11/2026", "3/4/2026"], ["2026-11-30", "2026-04-03"]),
        (["5/5/2026", "46356"], ["2026-05-05", "2026-11-30"]),
        (["2026-11-30T09:15", "1. 2.2026"], ["2026-11-30", "2026-02-01"]),
    ],
)
def test_dates_of_spreadsheets_are_read(tmp_path, dates, said):
    lines = [f"s,{number},,one,,anna,{date}" for number, date in enumerate(dates)]
    read = read_sheet(put(tmp_path, "\n".join([HEADER, *lines]))).check(undone="")
    assert [line.date for line in read] == said


@pytest.mark.parametrize("dates", [["3/4/2026"], ["30/11/2026", "11/30/2026", "3/4/2026"]])
def test_a_date_whose_day_cannot_be_told_is_refused(tmp_path, dates):
    lines = [f"s,{number},,one,,anna,{date}" for number, date in enumerate(dates)]
    assert "which of '3/4/2026' is the day cannot be told" in mistakes(
        put(tmp_path, "\n".join([HEADER, *lines]))
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.csv", "id,verdict\n1,one\n", "is no sheet of `polylens label`"),
        ("labels.csv", "", "is no sheet of `polylens label`"),
        ("labels.csv", f"{HEADER}\ns,a,caf\xe9,one,,anna,".encode("latin-1"), "save it as 'CSV UTF-8'"),
        ("labels.csv", f'{HEADER}\ns,a,"never closed,one,,anna,\n', "quotation marks"),
        ("labels.json", "{", "is no JSON"),
        ("labels.json", '{"lines": 3}', "is no sheet of `polylens label`"),
        (
            "labels.json",
            '{"lines": [\n{"id": "a"}]}',
            "labels.json:2: the entry lacks label, verdict, author",
        ),
        (
            "labels.json",
            '{"sheet": "s", "lines": [{"id": 3, "label": "a", "verdict": "", "author": "x"}]}',
            "labels.json:1: id: a text is needed here",
        ),
    ],
)
def test_what_is_no_sheet_is_refused_with_what_to_do(tmp_path, name, text, said):
    assert said in mistakes(put(tmp_path, text, name))


def test_a_file_that_is_not_there_is_said(tmp_path):
    assert "cannot read" in mistakes(tmp_path / "labels.csv")
