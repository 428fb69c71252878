"""When Python looks for garbage, and what a process keeps of what it freed."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from polylens import memory
from polylens.memory import for_good, own_process


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(memory, "_ours", False)
    monkeypatch.setattr(memory, "keep_what_is_freed", lambda: None)
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


_PAGES = """
import resource, sys
import numpy as np
from polylens.memory import own_process

if "own" in sys.argv:
    own_process()
np.ones(12_000_000)  # 96 MB, freed at once
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(12_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def new_pages(*arguments: str, **variables: str) -> int:
    """How many pages the system hands to a process that asks ten times for what it has just freed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    # One page in place of 512 where the system would give large ones.
    environment |= {"NUMPY_MADVISE_HUGEPAGE": "0"} | variables
    command = [sys.executable, "-c", _PAGES, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's")
def test_a_process_of_our_own_asks_the_system_for_no_memory_that_it_had_before() -> None:
    assert new_pages("own") < 1000  # of some 234,000, or 460 large ones
    chosen = {"MALLOC_MMAP_THRESHOLD_": "1048576"}
    assert new_pages("own", **chosen) >= new_pages(**chosen) // 2  # what a user chose is left
