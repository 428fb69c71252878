"""Finished parts of an unfinished stage: whole or not there, until the stage is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polylens.store import KeptArrays, Store

DIGEST = "a" * 32


@pytest.fixture
def kept(tmp_path: Path) -> KeptArrays:
    return KeptArrays(Store(tmp_path), "analysis", DIGEST)


def files(tmp_path: Path) -> list[Path]:
    return sorted(tmp_path.rglob("*.safetensors"))


def test_what_was_kept_is_loaded_by_another_process(kept: KeptArrays, tmp_path: Path) -> None:
    arrays = {"core": np.array([0.5, 1.0]), "found": np.int64(3), "edges": np.zeros((0, 2), np.int64)}
    kept.save("forest", arrays)
    again = KeptArrays(Store(tmp_path), "analysis", DIGEST).load("forest")
    assert again is not None
    assert set(again) == set(arrays)
    for name, array in arrays.items():
        assert np.array_equal(again[name], array)
        assert again[name].dtype == np.asarray(array).dtype


def test_parts_have_names_of_their_own(kept: KeptArrays) -> None:
    kept.part("subsample_1").save("forest", {"x": np.array([1])})
    assert kept.load("forest") is None
    assert kept.part("subsample_11").load("forest") is None
    assert kept.part("subsample_1").load("forest_") is None
    found = kept.part("subsample_1").load("forest")
    assert found is not None
    assert found["x"].tolist() == [1]


def test_other_stages_see_nothing_of_it(kept: KeptArrays, tmp_path: Path) -> None:
    kept.save("forest", {"x": np.array([1])})
    assert KeptArrays(Store(tmp_path), "analysis", "b" * 32).load("forest") is None


@pytest.mark.parametrize("harm", [lambda content: content[:-1], lambda content: b"x" + content[1:]])
def test_what_was_damaged_is_not_there_and_is_removed(kept: KeptArrays, tmp_path: Path, harm) -> None:
    kept.save("forest", {"x": np.arange(100)})
    (path,) = files(tmp_path)
    path.write_bytes(harm(path.read_bytes()))
    assert kept.load("forest") is None
    assert files(tmp_path) == []


def test_the_last_of_two_under_one_name_counts(kept: KeptArrays, tmp_path: Path) -> None:
    for value in (1, 2):
        kept.save("forest", {"x": np.array([value])})
    found = kept.load("forest")
    assert found is not None
    assert found["x"].tolist() == [2]
    assert len(files(tmp_path)) == 1


def test_it_goes_when_the_stage_is_committed_and_stays_when_it_fails(
    kept: KeptArrays, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    kept.save("forest", {"x": np.array([1])})

    def fail() -> None:
        with store.write_stage("analysis", DIGEST, about={}):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert kept.load("forest") is not None
    with store.write_stage("analysis", DIGEST, about={}) as folder:
        assert folder is not None
        (folder / "x").write_text("done")
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a.b", "a*"])
def test_a_name_is_a_plain_word(kept: KeptArrays, name: str) -> None:
    for use in (kept.load, kept.part, lambda name: kept.save(name, {})):
        with pytest.raises(ValueError, match="not a name"):
            use(name)
