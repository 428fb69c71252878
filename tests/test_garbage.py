"""When Python looks for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from polylens import garbage
from polylens.garbage import for_good, own_process


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(garbage, "_ours", False)
    yield
    gc.unfreeze()
    gc.enable()


class Ring:
    """Refers to itself, so that only a search frees it."""

    def __init__(self) -> None:
        self.ring = self


def is_freed_by_a_search() -> bool:
    import weakref

    ring = weakref.ref(Ring())
    gc.collect()
    return ring() is None


def test_none_is_looked_for_in_a_block_that_imports_and_again_behind_it() -> None:
    with for_good():
        with for_good():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    assert is_freed_by_a_search()


def test_where_none_is_looked_for_it_stays_so() -> None:
    gc.disable()
    with for_good():
        pass
    assert not gc.isenabled()


def test_it_is_looked_for_again_behind_an_import_that_failed() -> None:
    with pytest.raises(ImportError), for_good():
        raise ImportError("no such library")
    assert gc.isenabled()


def test_only_a_process_of_our_own_leaves_what_was_imported_out_of_every_search() -> None:
    with for_good():
        pass
    assert gc.get_freeze_count() == 0
    own_process()
    with for_good():
        pass
    assert gc.get_freeze_count() > 0
    assert is_freed_by_a_search()  # what comes later is searched as ever
