from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from polylens.records import Skipped
from polylens.text.tokens import TokenWriter, kept_tokens


class Maker:
    """Writes two documents, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, writer: TokenWriter) -> list[Skipped]:
        self.calls += 1
        for name, ids in (("a", [1, 2, 3]), ("b", [4])):
            spans = np.array([[place, place + 1] for place in range(len(ids))], dtype=np.int32)
            writer.append(name, np.array(ids, dtype=np.int32), spans, mark=7)
        return [Skipped("c", "empty")]


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.mark.parametrize("kept", [True, False])
def test_tokens_are_read_as_they_were_written(tmp_path: Path, maker: Maker, kept: bool) -> None:
    tokens = kept_tokens("key", cache=tmp_path if kept else None, make=maker)
    assert tokens.ids.tolist() == [1, 2, 3, 4]
    assert tokens.spans.tolist() == [[0, 1], [1, 2], [2, 3], [0, 1]]
    assert tokens.bounds.tolist() == [0, 3, 4]
    assert tokens.names == ("a", "b")
    assert tokens.skipped == (Skipped("c", "empty"),)
    again = pickle.loads(pickle.dumps(tokens))
    assert (again.ids.tolist(), again.fingerprint) == ([1, 2, 3, 4], tokens.fingerprint)


def test_a_second_time_nothing_is_made(tmp_path: Path, maker: Maker) -> None:
    first = kept_tokens("key", cache=tmp_path / "cache", make=maker)
    second = kept_tokens("key", cache=tmp_path / "cache", make=maker)
    assert maker.calls == 1
    assert first.fingerprint == second.fingerprint
    assert isinstance(second.ids.base, np.memmap)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tokens-key"]
    kept_tokens("another", cache=tmp_path / "cache", make=maker)
    assert maker.calls == 2


@pytest.mark.parametrize("file", ["ids.npy", "spans.npy", "bounds.npy", "marks.npy", "tokens.json"])
@pytest.mark.parametrize("how", ["changed", "cut", "gone"])
def test_what_is_damaged_is_made_again(tmp_path: Path, maker: Maker, file: str, how: str) -> None:
    first = kept_tokens("key", cache=tmp_path, make=maker).fingerprint
    victim = tmp_path / "tokens-key" / file
    content = bytearray(victim.read_bytes())
    content[-3] ^= 1
    if how == "gone":
        victim.unlink()
    else:
        victim.write_bytes(content if how == "changed" else content[:-5])
    tokens = kept_tokens("key", cache=tmp_path, make=maker)
    assert maker.calls == 2
    assert tokens.fingerprint == first
    assert tokens.ids.tolist() == [1, 2, 3, 4]
    kept_tokens("key", cache=tmp_path, make=maker)
    assert maker.calls == 2


def test_work_that_fails_leaves_nothing_behind(tmp_path: Path, maker: Maker) -> None:
    def fail(writer: TokenWriter) -> list[Skipped]:
        maker(writer)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept_tokens("key", cache=tmp_path, make=fail)
    assert list(tmp_path.iterdir()) == []
    assert kept_tokens("key", cache=tmp_path, make=maker).ids.tolist() == [1, 2, 3, 4]


def test_no_documents_are_no_tokens(tmp_path: Path) -> None:
    tokens = kept_tokens("key", cache=tmp_path, make=lambda writer: [])
    assert (len(tokens.ids), tokens.spans.shape, tokens.names) == (0, (0, 2), ())
