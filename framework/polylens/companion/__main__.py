"""`python -m polylens.companion`: does the calls that come in by standard input, one after the other."""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
from typing import IO

from polylens.companion.frames import read_frame, write_frame
from polylens.memory import own_process


def main() -> None:
    """Answers calls until the caller is gone."""
    own_process()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get among the answers
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # Read beside the work, so that the process ends at once when its caller does.
    threading.Thread(target=_read, args=[sys.stdin.buffer, calls], daemon=True).start()
    while True:
        write_frame(answers, _answer(calls.get()))


def _read(pipe: IO[bytes], calls: queue.SimpleQueue[bytes]) -> None:
    try:
        while True:
            calls.put(read_frame(pipe))
    except (EOFError, OSError):
        os._exit(0)


def _answer(call: bytes) -> bytes:
    """Whether the call was done, and what it gave or why not."""
    try:
        function, args, kwargs = pickle.loads(call)
        return pickle.dumps((True, function(*args, **kwargs)), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps((False, f"{type(error).__name__}: {error}"))


if __name__ == "__main__":
    main()
