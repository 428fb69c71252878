from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.errors import DataError
from polylens.progress import Silent
from polylens.text import Documents, FileDocuments, TextTables

TEXTS = ['One, "two"\nand three.', "Ünïcode ⌘", "", "last"]


def write_table(path: Path, texts: list[str | None], *, column: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"number": number, column: text} for number, text in enumerate(texts)]
    if path.suffix == ".parquet":
        table = pa.table({"number": list(range(len(texts))), column: pa.array(texts, type=pa.string())})
        pq.write_table(table, path, row_group_size=3)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(
                stream, ["number", column], delimiter="\t" if path.suffix == ".tsv" else ","
            )
            writer.writeheader()
            writer.writerows(rows)
    return path


def texts_of(source: Documents) -> list[str]:
    return [document.text for document in source.read(range(len(source)))]


def fingerprint(source: Documents, cache: Path | None = None) -> str:
    return source.fingerprint(cache=cache, progress=Silent())


@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv", "jsonl"])
def test_each_row_of_a_table_is_a_document_and_is_found_again_by_its_name(
    tmp_path: Path, ending: str
) -> None:
    source = TextTables(write_table(tmp_path / f"corpus.{ending}", TEXTS), column="text")
    assert len(source) == 4
    documents = list(source.read([0, 1, 3]))
    assert [document.name for document in documents] == [f"corpus.{ending}:{row}" for row in (1, 2, 4)]
    assert [document.text for document in documents] == [TEXTS[0], TEXTS[1], TEXTS[3]]
    assert source.text(f"corpus.{ending}:2") == "Ünïcode ⌘"


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1),
    data=st.data(),
)
@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_any_rows_in_any_order_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, ending: str, texts: list[str], data: st.DataObject
) -> None:
    path = write_table(tmp_path_factory.mktemp("tables") / f"t.{ending}", list(texts))
    source = TextTables(path, column="text")
    order = data.draw(st.permutations(range(len(texts))))
    assert [document.text for document in source.read(order)] == [texts[row] for row in order]


def test_tables_in_a_folder_are_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name, text in (("b/1.jsonl", "second"), ("a.csv", "first"), ("c.parquet", "third")):
        write_table(tmp_path / "corpus" / name, [text])
    source = TextTables(tmp_path / "corpus", column="text")
    assert texts_of(source) == ["first", "second", "third"]
    assert source.text("b/1.jsonl:1") == "second"


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path, ending: str) -> None:
    path = write_table(tmp_path / f"corpus.{ending}", ["a"], column="body")
    with pytest.raises(DataError) as error:
        TextTables(path, column="bdy")
    assert "no column 'bdy'; did you mean 'body'?" in str(error.value)
    assert "columns: number, body" in str(error.value)


def test_a_column_of_numbers_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds int64, not text"):
        TextTables(write_table(tmp_path / "corpus.parquet", ["a"]), column="number")


def test_what_is_no_table_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is nothing"):
        TextTables(tmp_path / "corpus.csv", column="text")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no table in it"):
        TextTables(tmp_path / "empty", column="text")
    (tmp_path / "notes.doc").write_text("text")
    with pytest.raises(DataError, match=r"\.parquet \.csv"):
        TextTables(tmp_path / "notes.doc", column="text")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        TextTables(tmp_path / "damaged.parquet", column="text")
    (tmp_path / "list.jsonl").write_text("[1, 2]\n")
    with pytest.raises(DataError, match="holds no JSON lines"):
        TextTables(tmp_path / "list.jsonl", column="text")


def test_rows_that_hold_no_text_say_why(tmp_path: Path) -> None:
    lines = ['{"text": "good"}', "", "{broken", '{"other": 1}', '{"text": 7}', '{"text": null}']
    (tmp_path / "a.jsonl").write_bytes("\n".join(lines).encode() + b'\n{"text": "caf\xe9"}')
    source = TextTables(tmp_path / "a.jsonl", column="text")
    assert [document.problem for document in source.read(range(len(source)))] == [
        "",
        "the line is not JSON",
        "the line has no 'text'",
        "'text' is no text but int",
        "empty",
        "not UTF-8: byte 0xe9 ('encoding' names another, such as cp1252)",
    ]
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbftext,n\ncaf\xe9,1\n\n\ngood,2\n")
    source = TextTables(tmp_path / "b.csv", column="text")
    assert [(document.text, document.problem) for document in source.read([0, 1])] == [
        ("", "not UTF-8: byte 0xe9 ('encoding' names another, such as cp1252)"),
        ("good", ""),
    ]
    pq.write_table(pa.table({"text": pa.array([None, "good"], type=pa.string())}), tmp_path / "c.parquet")
    source = TextTables(tmp_path / "c.parquet", column="text")
    assert [document.problem for document in source.read([0, 1])] == ["empty", ""]


def test_files_are_documents_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/.hidden.txt", ".git/x.txt", "c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert texts_of(FileDocuments(tmp_path, pattern="**/*.txt")) == ["a/z.txt", "b.txt"]
    assert texts_of(FileDocuments(tmp_path, pattern="*.md")) == ["c.md"]


def test_a_file_that_is_not_utf8_says_where_and_a_mark_of_byte_order_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfline\r\nend")
    first, second = FileDocuments(tmp_path, pattern="*.txt").read([0, 1])
    assert first.problem.startswith("not UTF-8: byte 0xe9 at 3")
    assert second.text == "line\r\nend"


def test_a_name_that_is_not_utf8_is_skipped_and_printable(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.txt")).write_text("b")
    source = FileDocuments(tmp_path, pattern="*.txt")
    assert len(source) == 1
    assert [item.example_id for item in source.skipped] == ["caf\\xe9.txt"]


def test_a_folder_that_is_missing_or_matches_nothing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is nothing"):
        FileDocuments(tmp_path / "texts", pattern="*")
    (tmp_path / "a.md").write_text("a")
    with pytest.raises(DataError, match="set 'pattern'"):
        FileDocuments(tmp_path, pattern="*.txt")


def test_the_fingerprint_follows_contents_and_names_and_not_times_or_places(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "one" / name).write_text(name)
    cache = tmp_path / "cache"
    first = fingerprint(FileDocuments(tmp_path / "one", pattern="*"), cache)
    os.utime(tmp_path / "one/a.txt", ns=(1, 1))
    assert fingerprint(FileDocuments(tmp_path / "one", pattern="*"), cache) == first
    (tmp_path / "one").rename(tmp_path / "two")
    assert fingerprint(FileDocuments(tmp_path / "two", pattern="*"), cache) == first
    (tmp_path / "two/a.txt").write_text("other")
    changed = fingerprint(FileDocuments(tmp_path / "two", pattern="*"), cache)
    assert changed == fingerprint(FileDocuments(tmp_path / "two", pattern="*")) != first
    (tmp_path / "two/a.txt").rename(tmp_path / "two/c.txt")
    assert fingerprint(FileDocuments(tmp_path / "two", pattern="*"), cache) not in (first, changed)


@pytest.mark.parametrize("damage", ["", "[]", '{"a.txt": 7}', "\x00"])
def test_damaged_memory_of_files_is_made_again(tmp_path: Path, damage: str) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a.txt").write_text("a")
    source = FileDocuments(tmp_path / "texts", pattern="*")
    first = fingerprint(source, tmp_path / "cache")
    (memory,) = (tmp_path / "cache").iterdir()
    memory.write_text(damage)
    assert fingerprint(source, tmp_path / "cache") == first


def test_what_a_pattern_passes_over_is_counted_by_its_ending(tmp_path: Path) -> None:
    for name in (
        "a.txt",
        "B.TXT",
        "deep/er/c.txt",
        "d.md",
        "deep/e.md",
        "LICENSE",
        ".git/f.txt",
        "x.txt/g.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "deep/loop").symlink_to(tmp_path)
    source = FileDocuments(tmp_path, pattern="**/*.txt")
    assert texts_of(source) == ["B.TXT", "a.txt", "deep/er/c.txt", "x.txt/g.txt"]
    assert [(item.example_id, item.reason) for item in source.skipped] == [
        (".git/", "a hidden folder of 1 file"),
        ("deep/loop/", "a link to a folder that it lies in"),
        ("LICENSE", "does not match '**/*.txt'"),
        ("d.md", "does not match '**/*.txt', nor do 1 more ending in .md"),
    ]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.txt", ["a.txt"]),
        ("**/*.txt", ["a.txt", "b/c.txt", "b/d/e.txt"]),
        ("b/*.txt", ["b/c.txt"]),
        ("b/**/*.txt", ["b/c.txt", "b/d/e.txt"]),
        ("**/d/*", ["b/d/e.txt"]),
        ("**", ["a.txt", "b/c.txt", "b/d/e.txt"]),
        ("*/[cx].t?t", ["b/c.txt"]),
        ("./b//c.TXT", ["b/c.txt"]),
    ],
)
def test_a_pattern_means_what_shells_mean_by_it(tmp_path: Path, pattern: str, found: list[str]) -> None:
    for name in ("a.txt", "b/c.txt", "b/d/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert texts_of(FileDocuments(tmp_path, pattern=pattern)) == found


def test_linked_folders_are_read_as_folders_are(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.txt").write_text("linked")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link").symlink_to(tmp_path / "elsewhere")
    assert texts_of(FileDocuments(tmp_path / "root", pattern="**/*.txt")) == ["linked"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-8-sig"])
def test_files_in_another_encoding_are_read_or_say_so_and_never_read_as_other_letters(
    tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "a.txt").write_bytes("The café, and more of it.".encode(encoding))
    marked = encoding in ("utf-16", "utf-32", "utf-8-sig")
    (document,) = FileDocuments(tmp_path, pattern="*").read([0])
    assert document.text == ("The café, and more of it." if marked else "")
    assert bool(document.problem) == (not marked)
    asked = FileDocuments(tmp_path, pattern="*", encoding="cp1252" if marked else encoding)
    assert texts_of(asked) == ["The café, and more of it."]
    assert fingerprint(asked) != fingerprint(FileDocuments(tmp_path, pattern="*"))
