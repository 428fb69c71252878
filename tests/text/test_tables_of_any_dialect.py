"""Tables as pandas, pyarrow and spreadsheets write them: each row a document or named, or all refused."""

from __future__ import annotations

import codecs
import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.errors import DataError
from polylens.progress import Silent
from polylens.text import TextTables

TEXTS = ["one, two; three", "tab\there", 'a "quoted" word', '"', "line\nbreak", "Ünïcode ⌘", "", "last"]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    'ab,;\t"\r\n', max_size=12
)
SMALL = settings(max_examples=40, deadline=None)


def read(path: Path, **how: Any) -> list[tuple[str, str]]:
    source = TextTables(path, column="text", **how)
    return [(document.text, document.problem) for document in source.read(range(len(source)))]


def texts(path: Path, **how: Any) -> list[str]:
    found = read(path, **how)
    assert not any(problem for _, problem in found)
    return [text for text, _ in found]


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@SMALL
@given(
    rows=st.lists(ANY_TEXT, min_size=1, max_size=8),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
)
def test_what_pythons_csv_writes_is_read_back_in_any_dialect(
    folder: Path, rows: list[str], quoting: Any, delimiter: str, end: str, encoding: str
) -> None:
    stream = StringIO(newline="")
    # A CR or LF is quoted by this writer only where it is in the line's end.
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    writer.writerows([["number", "text"], *([number, text] for number, text in enumerate(rows))])
    content = stream.getvalue()
    if not any(mark in text for text in rows for mark in "\r\n"):
        content = content.replace("\r\n", end)
    path = written(folder, content.encode(encoding))
    given_encoding = encoding if encoding[-3:] in ("-le", "-be") else None
    assert texts(path, encoding=given_encoding, delimiter=delimiter, quotes="double") == rows


@SMALL
@given(
    rows=st.lists(st.none() | ANY_TEXT, min_size=1, max_size=8),
    ending=st.sampled_from(["csv", "tsv", "jsonl", "parquet"]),
    index=st.booleans(),
)
def test_what_pandas_writes_is_read_back_row_by_row(
    folder: Path, rows: list[str | None], ending: str, index: bool
) -> None:
    table = pd.DataFrame({"text": pd.Series(rows, dtype="str"), "label": "x"})
    path = folder / f"pandas.{ending}"
    if ending == "jsonl":
        table.to_json(path, orient="records", lines=True, force_ascii=index)
    elif ending == "parquet":
        table.to_parquet(path, index=index)
    else:
        # pandas leaves a CR bare where lines end with LF alone.
        table.to_csv(path, sep="\t" if ending == "tsv" else ",", index=index, lineterminator="\r\n")
    found = read(path, quotes="double")
    assert [text for text, _ in found] == [text or "" for text in rows]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.large_string(), ordered=True),
    ],
    ids=str,
)
def test_every_type_of_text_that_arrow_has_is_read(folder: Path, kind: pa.DataType) -> None:
    path = folder / "arrow.parquet"
    column = pa.array([*TEXTS, None]).cast(kind)
    pq.write_table(pa.table({"text": column}), path, row_group_size=4, compression="zstd")
    found = read(path)
    assert [text for text, _ in found] == [*TEXTS, ""]
    assert found[-1] == ("", "empty")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a"], ["b"]]),
        pa.array([b"a", b"b"]),
        pa.array([1, 2]),
        pa.array([0.5, None]),
        pa.array([True, False]),
        pa.array([{"a": "b"}, None]),
        pa.array([b"a", b"a"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_a_column_of_anything_else_is_refused_by_its_type(folder: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"text": column}), folder / "other.parquet")
    with pytest.raises(DataError, match=r"column 'text' of .* holds .*, not text"):
        TextTables(folder / "other.parquet", column="text")


def test_a_column_of_missing_values_alone_is_rows_that_are_empty(folder: Path) -> None:
    pq.write_table(pa.table({"text": pa.nulls(3)}), folder / "null.parquet")
    assert read(folder / "null.parquet") == [("", "empty")] * 3


def test_a_column_whose_name_another_goes_on_from_is_not_taken_for_it(folder: Path) -> None:
    pq.write_table(pa.table({"text.raw": ["raw", "raw"], "text": ["a", "b"]}), folder / "dots.parquet")
    assert texts(folder / "dots.parquet") == ["a", "b"]


def test_parquet_that_is_damaged_in_the_middle_is_refused_in_words(folder: Path) -> None:
    path = folder / "damaged.parquet"
    pq.write_table(pa.table({"text": [f"text {row}" * 9 for row in range(500)]}), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[60:900] = bytes(840)
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read(path)


SWALLOWING = {
    "never closed": '1\tfirst\n2\t"second\n3\tthird\n4\tfourth\n',
    "closed by an inch": '1\tfirst\n2\t"second\n3\tthird\n4\tfourth 5"\n5\tfifth\n',
    "closed by the next opening": '1\tfirst\n2\t"second\n3\tthird\n4\t"fourth\n',
    "closed in the middle": '1\t"first" word\n2\tsecond\n',
    "beside a bare mark": '1\tfirst 5" wide\n2\t"second\nthird"\n',
    "escaped by a backslash": '1\t"a \\"word\\" here"\n',
}


@pytest.mark.parametrize("delimiter", ["\t", ","])
@pytest.mark.parametrize("rows", SWALLOWING.values(), ids=SWALLOWING)
def test_a_quotation_mark_that_is_part_of_the_text_never_swallows_rows_unseen(
    folder: Path, rows: str, delimiter: str
) -> None:
    content = ("id\ttext\n" + rows).replace("\t", delimiter)
    path = written(folder, content)
    with pytest.raises(DataError, match="quot") as error:
        TextTables(path, column="text", delimiter=delimiter)
    assert "'quotes: none'" in str(error.value)
    lines = content.splitlines()[1:]
    unquoted = read(path, delimiter=delimiter, quotes="none")
    assert len(unquoted) == len(lines)
    assert [text for text, problem in unquoted if not problem] == [
        line.split(delimiter)[1] for line in lines if line.count(delimiter) == 1
    ]


def test_quoted_fields_of_several_lines_are_text_where_nothing_speaks_against_it(folder: Path) -> None:
    content = 'id,text\n1,"Dear all,\nthanks, Bob"\n2,"x\n3"\n3,plain\n'
    assert texts(written(folder, content)) == ["Dear all,\nthanks, Bob", "x\n3", "plain"]
    doubtful = written(folder, 'id\ttext\n1\t"a\n2\tb"\n', "t.tsv")
    with pytest.raises(DataError, match="line 2 seems to hold whole rows: each of the 2 lines"):
        TextTables(doubtful, column="text")
    assert texts(doubtful, quotes="double") == ["a\n2\tb"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text,n\na,1\nb\nc,1,2\n\nd,2\n", ["a", None, None, "d"]),
        ("text\na\n\nb\n", ["a", None, "b"]),
        ("text,n\na\rb,1\nc,2\n", [None, "c"]),
        ("text,n\na,1\r\nb,2\nc,3", ["a", "b", "c"]),
        (",text\n0,a\n1,\n2,b\n", ["a", "", "b"]),
        ("text,n\na\0b,1\n", ["a\0b"]),
        ("\n\ntext,n\na,1\n", ["a"]),
    ],
)
def test_every_row_is_a_document_or_says_why_it_is_none(
    folder: Path, content: str, expected: list[str | None]
) -> None:
    found = read(written(folder, content))
    assert [None if problem else text for text, problem in found] == expected


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.csv", b"", "is empty: not even names of columns"),
        ("t.csv", b"\xef\xbb\xbf", "is empty"),
        ("t.csv", b"text,a,text\n1,2,3\n", "has 2 columns called 'text'"),
        ("t.csv", b"id;text\n1;a\n", r"no column 'text'.*\n.*set 'delimiter: ';''"),
        ("t.csv", b"id\ttext\n1\ta\n", r"set 'delimiter: .\\t.'"),
        ("t.tsv", b"id,text\n1,a\n", r"set 'delimiter: ',''"),
        (
            "t.csv",
            "text,größe\na,1\n".encode("cp1252"),
            r"first line of .* is not UTF-8: byte 0xf6\n.*'encoding'",
        ),
        ("t.csv", "text,n\na,1\nb,2\n".encode("utf-16-le"), "looks like utf-16-le without a mark"),
        ("t.csv", "text,n\na,1\nb,2\n".encode("utf-16-be"), "looks like utf-16-be without a mark"),
        ("t.jsonl", b"", "holds no JSON lines"),
        ("t.jsonl", b'[{"text": "a"}]\n', "holds no JSON lines"),
        ("t.jsonl", b'{"txt": "a"}\n', "no column 'text'; did you mean 'txt'"),
        ("t.csv.gz", b"\x1f\x8b", r"packed \(.gz\): unpack it first"),
        ("t.jsonl.zst", b"", r"packed \(.zst\): unpack it first"),
        ("t.feather", b"", r"no ending of a table.*\n.*to_parquet"),
        ("t.json", b"{}", r"no ending of a table.*\n.*to_parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        TextTables(written(tmp_path, content, name), column="text")


def test_an_encoding_that_is_named_is_read_and_the_mark_of_a_file_counts_more(folder: Path) -> None:
    for encoding in ("cp1252", "latin-1"):
        assert texts(written(folder, "text,n\ncafé,1\n".encode(encoding)), encoding=encoding) == ["café"]
    kana = written(folder, 'text,n\n"ソ、表\n予",1\n'.encode("shift_jis"))
    assert texts(kana, encoding="shift_jis") == ["ソ、表\n予"]
    marked = written(folder, codecs.BOM_UTF16_BE + "text,n\ncafé,1\n".encode("utf-16-be"))
    assert texts(marked, encoding="cp1252") == ["café"]
    cut = written(folder, codecs.BOM_UTF16_LE + "n,text\n1,a\n2,bc".encode("utf-16-le")[:-1])
    assert [problem for _, problem in read(cut)] == ["", "not UTF-16-LE"]


def test_rows_of_json_lines_that_hold_no_text_say_why(folder: Path) -> None:
    lines = {
        '{"other": 1}': "no 'text'",
        '{"text": "a", "text": "b"}': "2 'text'",
        '{"text": NaN}': "no text but float",
        '{"text": ["a"]}': "no text but list",
        '{"text": {"a": "b"}}': "no text but",
        '{"text": "\\ud800"}': "not UTF-8",
        "[" * 100_000: "not JSON",
        '{"text": "good"}': "",
    }
    found = read(written(folder, "\n".join(lines), "t.jsonl"))
    for (_, problem), says in zip(found, lines.values(), strict=True):
        assert says in problem
        assert bool(says) == bool(problem)


@SMALL
@given(
    rows=st.lists(ANY_TEXT, min_size=1, max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
)
def test_json_lines_are_read_with_any_line_end(
    folder: Path, rows: list[str], end: str, encoding: str
) -> None:
    content = end.join(json.dumps({"text": text}, ensure_ascii=False) for text in rows)
    path = written(folder, content.encode(encoding), "t.jsonl")
    assert texts(path) == rows


def test_files_of_a_folder_that_are_passed_over_are_counted_and_named(tmp_path: Path) -> None:
    for name, content in {
        "a.csv": b"text\none\n",
        "B.CSV": b"text\ntwo\n",
        "part.parquet/0.jsonl": b'{"text": "three"}\n',
        "part.parquet/_SUCCESS": b"",
        "c.csv.gz": b"\x1f\x8b",
        "d.feather": b"ARROW1",
        "e.jsonl": b"",
        ".f.csv": b"text\n",
        ".git/g.csv": b"text\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    source = TextTables(tmp_path, column="text")
    assert [document.text for document in source.read(range(len(source)))] == ["two", "one", "three"]
    named = {item.example_id: item.reason for item in source.skipped}
    assert sorted(named) == [
        ".f.csv",
        ".git/",
        "c.csv.gz",
        "d.feather",
        "e.jsonl",
        "gone.csv",
        "loop/",
        "part.parquet/_SUCCESS",
    ]
    assert named[".git/"] == "a hidden folder of 1 file"
    assert "packed" in named["c.csv.gz"]


def test_tables_read_in_another_way_have_another_fingerprint(folder: Path) -> None:
    path = written(folder, 'text,other\n"a","b"\n')
    ways: list[dict[str, Any]] = [
        {"column": "text"},
        {"column": "other"},
        {"column": "text", "quotes": "none"},
        {"column": "text", "encoding": "cp1252"},
        {"column": "text", "quotes": "double"},
    ]
    found = [TextTables(path, **way).fingerprint(cache=None, progress=Silent()) for way in ways]
    assert len(set(found)) == len(ways)
