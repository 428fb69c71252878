"""Datasets of the hub, asked of a stand-in on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.hub import COMMIT, point_at, serving
from tests.text_models import tiny_tokenizer

from polylens.datasets import Opening
from polylens.datasets.hub_text import HubText
from polylens.errors import DataError
from polylens.records import Examples, TextFormat
from polylens.streams import Streams

pytest.importorskip("datasets.load", reason="pip install 'polylens[hub-text]'")

CARD = """\
---
configs:
- {config_name: long, data_files: data/train-*}
- config_name: lines
  data_files: [{split: train, path: more/a.parquet}, {split: held_out, path: more/b.parquet}]
---
"""


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One dataset of three Parquet files, one of two configs, one of code, and an empty one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = tmp_path_factory.mktemp("hub")
    for name in ("owner/plain", "owner/configs"):
        for number in range(3):
            path = root / "datasets" / name / f"data/train-0000{number}-of-00003.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            texts = [f"The cat sat on mat {number * 10 + row}." for row in range(10)]
            texts[9] = [None, "", "  "][number]
            pq.write_table(pa.table({"text": texts, "size": list(range(10))}), path)
    configs = root / "datasets/owner/configs"
    (configs / "README.md").write_text(CARD)
    (configs / "more").mkdir()
    for file in "ab":
        lines = [f"The dog saw {file} {row}." for row in range(4)]
        pq.write_table(pa.table({"body": lines}), configs / f"more/{file}.parquet")
    (root / "datasets/owner/code").mkdir()
    (root / "datasets/owner/code/code.py").write_text("raise AssertionError('run')")
    (root / "datasets/owner/code/README.md").write_text("A dataset.")
    (root / "datasets/owner/empty").mkdir()
    (root / "datasets/owner/empty/README.md").write_text("A dataset.")
    return root


@pytest.fixture(scope="module")
def hub(repositories: Path) -> Iterator[tuple[str, list[str]]]:
    with serving(repositories) as found:
        yield found


@pytest.fixture
def asked(hub: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the hub is asked from now on."""
    point_at(monkeypatch, hub[0], cache=tmp_path)
    hub[1].clear()
    return hub[1]


@pytest.fixture(scope="module")
def text_format(tmp_path_factory: pytest.TempPathFactory) -> TextFormat:
    folder = tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return TextFormat(tokenizer=str(folder), tokenizer_digest="tiny", context=32, special=(0,))


def dataset(name: str = "owner/plain", **fields: Any) -> HubText:
    return HubText.model_validate({"name": name, "revision": COMMIT, "documents": 4, **fields})


def opened(chosen: HubText, text_format: TextFormat, *, seed: int = 0, **options: Any) -> Examples:
    return chosen.open(text_format, Opening(Streams(seed), Path("/nowhere"), **options))


def shown(examples: Examples, index: int) -> str:
    found: Any = examples.context(index, 1)
    return str(found.before + found.token + found.after)


def test_the_first_documents_are_taken_and_the_hub_is_asked_once(
    asked: list[str], text_format: TextFormat, tmp_path: Path
) -> None:
    examples = opened(dataset(documents=12), text_format, cache=tmp_path / "seen")
    assert examples.ids[:2] == ("owner/plain:1", "owner/plain:2")
    assert shown(examples, 0) == "The cat sat on mat 0."
    assert shown(examples, 10) == "The cat sat on mat 11."
    assert [(item.example_id, item.reason) for item in examples.skipped] == [("owner/plain:10", "empty")]
    assert asked
    assert not any("train-00002" in path for path in asked), "no more is downloaded than is needed"
    asked.clear()
    again = opened(dataset(documents=12), text_format, cache=tmp_path / "seen")
    assert (again.fingerprint, asked) == (examples.fingerprint, [])
    (damaged,) = (tmp_path / "seen").rglob("documents.parquet")
    damaged.write_bytes(b"")
    assert opened(dataset(documents=12), text_format, cache=tmp_path / "seen").ids == examples.ids
    assert asked


def test_documents_are_shuffled_with_the_seed(asked: list[str], text_format: TextFormat) -> None:
    chosen = dataset(documents=9, draw="shuffled", buffer=8)
    first = opened(chosen, text_format)
    texts = [shown(first, index) for index in range(len(first))]
    again = opened(chosen, text_format)
    other = opened(chosen, text_format, seed=1)
    assert [shown(again, index) for index in range(len(again))] == texts
    assert sorted(texts) != texts
    assert other.fingerprint != first.fingerprint
    assert dataset(buffer=7).identity() == dataset(buffer=8).identity()
    assert dataset(draw="shuffled", buffer=7).identity() != dataset(draw="shuffled", buffer=8).identity()


def test_a_config_a_split_and_a_column_are_named(asked: list[str], text_format: TextFormat) -> None:
    chosen = dataset("owner/configs", config="lines", split="held_out", column="body")
    assert shown(opened(chosen, text_format), 3) == "The dog saw b 3."


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (dataset(column="txet"), "no column 'txet'; did you mean 'text'.*\n.*columns: text, size"),
        (dataset(column="size"), "column 'size' of .* holds .*int64.*, not text"),
        (dataset(split="test"), "no split 'test'\n  splits: train"),
        (dataset("owner/configs"), "has several configs, of which none is named\n  configs: long, lines"),
        (dataset("owner/configs", config="short"), "has no such config\n  configs: long, lines"),
        (dataset(documents=31), "holds 30 documents, fewer than the 31 asked for\n  lower 'documents' to 30"),
        (dataset("owner/code"), "made by code of its own, which is never run\n  take a revision"),
        (dataset("owner/empty"), "owner/empty at revision 01234567 holds no files of data"),
        (dataset("owner/none"), "the hub has no dataset 'owner/none'.*\n.*log in with `hf auth login`"),
        (dataset(revision="f" * 40), r"has no revision f{40}\n.*datasets/owner/plain/commits/main"),
        (dataset("gated/denied"), r"is gated.*\n  accept them at http.*/datasets/gated/denied, then log in"),
        (dataset("gated/unknown"), r"gated/unknown is gated"),
        (dataset("broken/hub"), "not on this machine, and the hub refuses it: .*500"),
    ],
    ids=str,
)
def test_what_cannot_be_had_is_said_with_what_to_do(
    chosen: HubText, says: str, asked: list[str], text_format: TextFormat
) -> None:
    with pytest.raises(DataError, match=says):
        opened(chosen, text_format)


def test_offline_the_hubs_cache_is_read_or_the_download_named(
    hub: tuple[str, list[str]],
    text_format: TextFormat,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from huggingface_hub import snapshot_download

    point_at(monkeypatch, hub[0], cache=tmp_path)
    online = opened(dataset(), text_format)
    point_at(monkeypatch, hub[0], cache=tmp_path, offline=True)
    with pytest.raises(DataError, match=r"not on this machine, and HF_HUB_OFFLINE is set") as error:
        opened(dataset(), text_format)
    assert f"hf download owner/plain --repo-type dataset --revision {COMMIT}\n" in str(error.value)
    point_at(monkeypatch, hub[0], cache=tmp_path)
    snapshot_download("owner/plain", repo_type="dataset", revision=COMMIT)
    point_at(monkeypatch, hub[0], cache=tmp_path, offline=True)
    hub[1].clear()
    assert opened(dataset(), text_format).fingerprint == online.fingerprint
    assert hub[1] == []


def test_a_hub_that_nobody_answers_for_is_named(
    text_format: TextFormat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    point_at(monkeypatch, "http://127.0.0.1:9", cache=tmp_path)
    with pytest.raises(DataError, match=r"not on this machine, and the hub cannot be reached: .*refused"):
        opened(dataset(), text_format)


def test_a_folder_of_the_same_name_is_not_taken_for_the_dataset(
    asked: list[str], text_format: TextFormat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "owner/plain/train.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"text": "Another."}\n' * 9)
    monkeypatch.chdir(tmp_path)
    assert shown(opened(dataset(), text_format), 0) == "The cat sat on mat 0."


def test_tokens_of_a_sequence_are_those_of_its_document(asked: list[str], text_format: TextFormat) -> None:
    packed = opened(dataset(packing="packed", context=8), text_format)
    assert packed.batch(range(len(packed))).shape == (len(packed), 8)
    assert np.all(packed.batch([0]).numpy() >= 0)
    assert packed.ids[0] == "owner/plain:1#0"


@pytest.mark.parametrize("name", ["plain", "/etc/passwd", "../a", "a/b/c", "a/../b"])
def test_a_name_is_one_of_the_hub(name: str) -> None:
    with pytest.raises(ValueError, match="name must be OWNER/NAME"):
        dataset(name)
    with pytest.raises(ValueError, match="branches and tags move"):
        dataset(revision="main")
