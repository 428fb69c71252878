"""Libraries held to one thread, whichever were loaded when the first block was."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from polylens.cores import cores, one_thread

LATER = """
from polylens.cores import one_thread
from threadpoolctl import threadpool_info

def found():
    return {(each["user_api"], each["num_threads"]) for each in threadpool_info()}

import numpy
with one_thread():
    assert found() == {("blas", 1)}
import scipy.linalg, sklearn.cluster
with one_thread():
    assert found() == {("blas", 1), ("openmp", 1)}
with one_thread("blas"):
    assert found() == {("blas", 1), ("openmp", 3)}
assert ("openmp", 3) in found()
"""


def test_libraries_that_are_loaded_later_are_held_as_well_and_let_go_behind_the_block():
    environment = {**os.environ, "OMP_NUM_THREADS": "3"}
    done = subprocess.run(
        [sys.executable, "-c", LATER], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_blocks_stand_in_each_other():
    from threadpoolctl import threadpool_info

    before = [each["num_threads"] for each in threadpool_info()]
    with one_thread(), pytest.raises(ValueError, match="within"), one_thread("blas"):
        raise ValueError("within")
    assert [each["num_threads"] for each in threadpool_info()] == before


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {1, 5, 7}, raising=False)
    assert cores() == 3
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert cores() == 1
