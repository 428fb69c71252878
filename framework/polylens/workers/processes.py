"""A program in a process group of its own, which is gone when nobody waits for it any more."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

_LINES_OF_STDERR = 15


@contextmanager
def run_process(
    command: Sequence[str], environment: Mapping[str, str], stderr: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """A running program that can be told nothing but its end; it and what it started end with the block."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        # Ctrl-C goes to this process alone, which then ends the group.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def last_words(code: int, stderr: IO[bytes]) -> list[str]:
    """How a program ended, and the last lines it wrote."""
    stderr.seek(0)
    said = stderr.read().decode(errors="replace").strip().splitlines()[-_LINES_OF_STDERR:]
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return [f"a worker process {how}", *said]
