"""The side of the process that gives work away: starts a second one, hands it calls, takes what they gave."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from polylens.companion.frames import read_frame, write_frame
from polylens.cores import cores

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Companion:
    """One more process, for calls whose results another process gives as well: pure functions of pickles.

    It is never needed: a call that it has not begun, cannot do or fails at is done by the caller (`result`),
    who then meets the very error. It gets nothing of the terminal, no interrupts, and ends with its caller,
    however that ends. It is started by the first call, and only where a second core is allowed.
    """

    def __init__(self) -> None:
        self._is_allowed = _is_second_core_allowed()
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the process; calls that it has not finished fail."""
        self._calls.put(None)
        if self._process is not None:
            _end(self._process)
        if self._thread is not None:
            self._thread.join()

    def ahead(
        self, function: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Answer]:
        """Asks for a call, to be done after all that were asked for before."""
        asked: Future[Answer] = Future()
        if self._is_allowed:
            if self._thread is None:
                self._process = _start()
                self._thread = threading.Thread(target=self._hand_over, args=[self._process], daemon=True)
                self._thread.start()
            self._calls.put((asked, lambda: (function, args, kwargs)))
        return asked

    def result(self, asked: Future[Answer], here: Callable[[], Answer]) -> Answer:
        """What an asked call gave; waits where it is being done, and else calls `here` instead."""
        if asked.cancel():
            return here()
        try:
            return asked.result()
        except Exception:
            return here()

    def settle(self, asked: Future[Any]) -> None:
        """Waits for a call that is being done; one that is not yet will not be."""
        self.result(asked, lambda: None)

    def _hand_over(self, process: subprocess.Popen[bytes]) -> None:
        """Hands calls over, one at a time, so that all others can still be taken back."""
        assert process.stdin is not None
        assert process.stdout is not None
        while (call := self._calls.get()) is not None:
            asked, what = call
            if not asked.set_running_or_notify_cancel():
                continue
            try:
                write_frame(process.stdin, pickle.dumps(what(), protocol=pickle.HIGHEST_PROTOCOL))
                is_done, answer = pickle.loads(read_frame(process.stdout))
            except Exception as error:  # whatever it was: the caller does the call itself
                is_done, answer = False, str(error)
            if is_done:
                asked.set_result(answer)
            else:
                asked.set_exception(RuntimeError(answer))


def _is_second_core_allowed() -> bool:
    """Whether the machine has another core, and nobody asked for one thread alone."""
    return cores() > 1 and os.environ.get("OMP_NUM_THREADS", "") != "1"


def _start() -> subprocess.Popen[bytes]:
    # Each process computes in as many threads as there are cores. Those that wait for the others of their
    # process turn round and round on a core that the other process could use, unless OpenMP is told before
    # it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return subprocess.Popen(
        # A folder that polylens is run in must not stand in for packages (-P).
        [sys.executable, "-P", "-m", "polylens.companion"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
