"""A second process that works ahead: never needed, never in the way, gone with its caller."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from polylens.companion import Companion

_PATIENCE_SECONDS = 60


@pytest.fixture
def companion(monkeypatch: pytest.MonkeyPatch) -> Iterator[Companion]:
    """A companion as on a machine with a second core."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    with Companion() as made:
        yield made


def refuse() -> int:
    raise AssertionError("it was done elsewhere already")


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_end(process: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while is_running(process):
        assert time.monotonic() < until, "the second process outlives its caller"
        time.sleep(0.05)


def test_calls_are_done_in_another_process_in_their_order(companion: Companion) -> None:
    asked = [companion.ahead(os.getpid), companion.ahead(os.getpid)]
    found = {each.result(timeout=_PATIENCE_SECONDS) for each in asked}
    assert len(found) == 1
    assert found != {os.getpid()}
    root = companion.ahead(math.sqrt, 2.0)
    assert root.result(timeout=_PATIENCE_SECONDS) == companion.result(root, refuse) == math.sqrt(2.0)


def test_what_is_printed_there_does_not_get_among_the_answers(companion: Companion) -> None:
    companion.ahead(print, "x" * 100)
    assert companion.ahead(math.sqrt, 4.0).result(timeout=_PATIENCE_SECONDS) == 2.0


def test_a_call_that_fails_there_is_done_here_and_the_next_one_there(companion: Companion) -> None:
    failing = companion.ahead(math.sqrt, -1.0)
    assert isinstance(failing.exception(timeout=_PATIENCE_SECONDS), RuntimeError)
    with pytest.raises(ValueError, match="domain"):
        companion.result(failing, lambda: math.sqrt(-1.0))
    assert companion.ahead(math.sqrt, 9.0).result(timeout=_PATIENCE_SECONDS) == 3.0


def test_what_cannot_be_sent_is_done_here(companion: Companion) -> None:
    asked = companion.ahead(lambda: 3)  # no other process knows it
    assert companion.result(asked, lambda: 3) == 3


def test_a_call_that_is_not_begun_is_done_here(companion: Companion) -> None:
    companion.ahead(time.sleep, 30.0)
    assert companion.result(companion.ahead(math.sqrt, 4.0), lambda: -2.0) == -2.0


def test_a_process_that_dies_leaves_its_calls_to_the_caller(companion: Companion) -> None:
    asked = companion.ahead(os._exit, 3)
    assert isinstance(asked.exception(timeout=_PATIENCE_SECONDS), RuntimeError)
    assert companion.result(asked, lambda: 5) == 5
    assert companion.result(companion.ahead(math.sqrt, 4.0), lambda: 2.0) == 2.0


def test_the_end_of_the_block_ends_what_is_being_done() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "2")
        patch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
        with Companion() as companion:
            process = companion.ahead(os.getpid).result(timeout=_PATIENCE_SECONDS)
            asked = companion.ahead(time.sleep, 600.0)
    assert not is_running(process)
    assert companion.result(asked, lambda: 1) == 1  # type: ignore[arg-type, return-value]


def test_it_ends_with_a_caller_that_is_killed() -> None:
    program = (
        "import os, time; os.sched_getaffinity = lambda _: {0, 1}\n"
        "from polylens.companion import Companion\n"
        "companion = Companion()\n"
        "process = companion.ahead(os.getpid).result()\n"
        "companion.ahead(time.sleep, 600.0)\n"
        "print(process, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    wait_for_end(int(done.stdout))


@pytest.mark.parametrize(("cores", "threads"), [(1, "2"), (2, "1")])
def test_one_core_or_one_thread_needs_no_second_process(
    cores: int, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    with Companion() as companion:
        asked = companion.ahead(os.getpid)
        assert companion.result(asked, os.getpid) == os.getpid()
        assert asked.cancelled()


@pytest.mark.parametrize(("given", "there"), [("", "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_leave_the_core_to_the_other_process_unless_the_user_says_otherwise(
    companion: Companion, monkeypatch: pytest.MonkeyPatch, given: str, there: str
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", given)
    if not given:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    asked = companion.ahead(os.getenv, "OMP_WAIT_POLICY")
    assert asked.result(timeout=_PATIENCE_SECONDS) == there
    assert os.environ["OMP_WAIT_POLICY"] == there
