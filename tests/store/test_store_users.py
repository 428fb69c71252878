"""Who uses a store is known by locks that end with their process, and by the trackers it remembers."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylens.errors import StoreError
from polylens.store import cleared, in_use, is_in_use, trackers


def test_a_store_is_in_use_inside_the_block_alone(tmp_path: Path) -> None:
    assert not is_in_use(tmp_path)
    with in_use(tmp_path), in_use(tmp_path):
        assert is_in_use(tmp_path)
        with pytest.raises(StoreError, match="using the store"), cleared(tmp_path):
            pass
    assert not is_in_use(tmp_path)
    with cleared(tmp_path):
        pass


def test_the_mark_of_a_process_that_was_killed_is_none_and_goes(tmp_path: Path) -> None:
    with in_use(tmp_path):
        pass
    mark = tmp_path / "v1" / ".users" / "4242-abc.lock"
    mark.touch()  # the lock itself ended with its process
    assert not is_in_use(tmp_path)
    assert not mark.exists()


def test_trackers_are_remembered_once_and_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for address in ("sqlite:////a/mlflow.db", "http://host:5000", "http://host:5000"):
        with in_use(tmp_path, tracker=address):
            pass
    assert sorted(trackers(tmp_path).values()) == ["http://host:5000", "sqlite:////a/mlflow.db"]
    file = next(iter(trackers(tmp_path)))
    file.write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        trackers(tmp_path)
