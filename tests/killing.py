"""Processes that are killed at a given moment, forked from one that has imported what takes long.

A process of its own would spend seconds on imports before the first moment that is of interest. Only programs
without other threads may use this, so tests start such a program and read what it prints.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress


def forked(work: Callable[[], None]) -> int:
    """Starts the work in a child, which ends with 0 or, where it raises, with 1; gives its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    os.setsid()
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


def exit_code(child: int) -> int:
    """Waits for a child; its exit code, or minus the number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill(child: int, *, after: float) -> bool:
    """Kills a child and all it started after so many seconds; whether it was still running."""
    time.sleep(after)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return exit_code(child) == -signal.SIGKILL
