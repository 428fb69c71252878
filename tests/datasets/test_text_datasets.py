"""Text as a spec names it: files, tables, and the manual that comes with Python."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.text_models import tiny_tokenizer

from polylens import imports
from polylens.datasets import Dataset, Opening
from polylens.datasets.digits import Digits
from polylens.datasets.hub_text import HubText
from polylens.datasets.python_manual import PythonManual
from polylens.datasets.text_files import TextFiles
from polylens.datasets.text_table import TextTable
from polylens.errors import DataError, UsageError
from polylens.records import Examples, ImageFormat, TextFormat, TokenContext
from polylens.streams import Streams


@pytest.fixture(scope="module")
def text_format(tmp_path_factory: pytest.TempPathFactory) -> TextFormat:
    folder = tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return TextFormat(tokenizer=str(folder), tokenizer_digest="tiny", context=32, special=(0,))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(12):
        path = tmp_path / f"texts/{'ab'[number % 2]}/{number:02d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"The cat sat on mat {number}.")
    lines = [json.dumps({"body": f"The dog saw cat {number}."}) for number in range(9)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines))
    return tmp_path


def opened(
    dataset: Dataset, text_format: TextFormat, root: Path, *, seed: int = 0, **options: Any
) -> Examples:
    return dataset.open(text_format, Opening(Streams(seed), root, **options))


def test_each_file_is_a_document_called_by_its_path(text_format: TextFormat, root: Path) -> None:
    examples = opened(TextFiles(root="texts"), text_format, root)
    assert examples.ids[:2] == ("a/00.txt", "a/02.txt")
    assert len(examples) == 12
    assert (examples.targets, examples.classes) == (None, ())
    found = examples.context(0, 1)
    assert isinstance(found, TokenContext)
    assert (found.before, found.token) == ("The", " cat")


def test_files_that_cannot_be_used_are_counted_and_named(text_format: TextFormat, root: Path) -> None:
    (root / "texts/a/00.txt").write_bytes(b"caf\xe9 \xff")
    (root / "texts/a/02.txt").write_bytes(b" \n")
    (root / "texts/gone.txt").symlink_to(root / "nowhere")
    examples = opened(TextFiles(root="texts"), text_format, root)
    assert len(examples) == 10
    assert [(item.example_id, item.reason) for item in examples.skipped] == [
        ("gone.txt", "a link to nothing"),
        ("a/00.txt", "not UTF-8: byte 0xe9 at 3 ('encoding' names another, such as cp1252)"),
        ("a/02.txt", "empty"),
    ]


def test_files_of_which_none_can_be_used_are_an_error(text_format: TextFormat, root: Path) -> None:
    for path in (root / "texts").rglob("*.txt"):
        path.write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"none of 12 documents in .*texts can be used; a/00.txt: not UTF-8"):
        opened(TextFiles(root="texts"), text_format, root)


def test_a_pattern_never_leads_out_of_the_folder() -> None:
    for pattern in ("../*.txt", "/etc/*", "a/../../b", ""):
        with pytest.raises(ValueError, match="below 'root'"):
            TextFiles(root="texts", pattern=pattern)


def test_each_row_of_the_column_is_a_document(text_format: TextFormat, root: Path) -> None:
    examples = opened(TextTable(file="corpus.jsonl", column="body", documents=4), text_format, root)
    assert len(examples) == 4
    assert all(name.startswith("corpus.jsonl:") for name in examples.ids)
    with pytest.raises(DataError, match="columns: body"):
        opened(TextTable(file="corpus.jsonl"), text_format, root)


def test_the_manual_needs_no_file_and_fills_packed_sequences(text_format: TextFormat, tmp_path: Path) -> None:
    examples = opened(PythonManual(packing="packed"), text_format, tmp_path, limit=50)
    assert examples.batch(range(50)).shape == (50, 32)
    assert all(name.startswith("python/") and "#" in name for name in examples.ids)
    documents = opened(PythonManual(), text_format, tmp_path)
    assert "python/assert" in documents.ids
    assert list(documents.ids) == sorted(documents.ids)
    found = documents.context(documents.ids.index("python/assert"), 3)
    assert isinstance(found, TokenContext)
    assert "assert" in found.before + found.token + found.after


@pytest.mark.parametrize("dataset", [PythonManual(), TextFiles(root="texts"), TextTable(file="corpus.jsonl")])
def test_the_context_may_be_shortened_and_not_stretched(
    dataset: Dataset, text_format: TextFormat, root: Path
) -> None:
    if isinstance(dataset, TextTable):
        dataset = dataset.model_copy(update={"column": "body"})
    short = opened(dataset.model_copy(update={"context": 5}), text_format, root)
    whole = opened(dataset, text_format, root)
    assert torch.equal(short.batch([0]), whole.batch([0])[:, :5])
    with pytest.raises(UsageError, match="33 tokens is longer than the 32 that the model allows"):
        opened(dataset.model_copy(update={"context": 33}), text_format, root)


def test_a_dataset_of_text_refuses_a_model_of_images_and_the_other_way_round(
    text_format: TextFormat, root: Path
) -> None:
    with pytest.raises(UsageError, match="the model takes images"):
        PythonManual().open(ImageFormat(), Opening(Streams(0), root))
    with pytest.raises(UsageError, match="the model takes text"):
        opened(Digits(), text_format, root)
    with pytest.raises(UsageError, match="keeps no texts for training"):
        opened(PythonManual(), text_format, root, split="train")


def test_the_place_of_the_data_is_not_part_of_its_identity(text_format: TextFormat, root: Path) -> None:
    here = TextFiles(root="texts").locate(lambda name: root)
    assert here.root == str(root / "texts")
    assert here.identity() == TextFiles(root="elsewhere").identity()
    assert here.locate(lambda name: Path("/nowhere")) == here
    table = TextTable(file="corpus.jsonl").locate(lambda name: root)
    assert table.identity() == TextTable(file="other.jsonl").identity()
    moved = opened(here, text_format, Path("/nowhere"))
    assert moved.fingerprint == opened(TextFiles(root="texts"), text_format, root).fingerprint


def test_a_second_run_reads_what_the_first_has_kept(text_format: TextFormat, root: Path) -> None:
    first = opened(TextFiles(root="texts"), text_format, root, cache=root / "seen")
    kept = {path: path.stat().st_mtime_ns for path in (root / "seen").rglob("*") if path.is_file()}
    again = opened(TextFiles(root="texts"), text_format, root, cache=root / "seen")
    assert again.fingerprint == first.fingerprint
    assert {path: path.stat().st_mtime_ns for path in (root / "seen").rglob("*") if path.is_file()} == kept
    (root / "texts/a/00.txt").write_text("Other.")
    assert (
        opened(TextFiles(root="texts"), text_format, root, cache=root / "seen").fingerprint
        != first.fingerprint
    )
    with pytest.raises(DataError, match="changed while it was in use"):
        first.context(0, 1)


def test_without_the_extra_the_hubs_datasets_say_what_to_install(
    text_format: TextFormat, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    imports.datasets.cache_clear()
    with pytest.raises(DataError, match=r"pip install 'polylens\[hub-text\]'"):
        opened(HubText(name="a/b", revision="0" * 40, documents=1), text_format, root)
    imports.datasets.cache_clear()


def test_files_kept_for_training_are_packed_and_never_drawn_otherwise(
    text_format: TextFormat, root: Path
) -> None:
    dataset = TextFiles(root="texts", train_fraction=0.75)
    training = opened(dataset, text_format, root, split="train")
    others = opened(dataset, text_format, root)
    assert len(others) == 3
    assert {name.partition("#")[0] for name in training.ids}.isdisjoint(others.ids)
    assert set(training.batch(range(len(training))).shape[1:]) == {text_format.context}
    assert "train_fraction" not in TextFiles(root="texts").identity()
    with pytest.raises(UsageError, match="text_files keeps no texts for training here"):
        opened(TextFiles(root="texts"), text_format, root, split="train")
