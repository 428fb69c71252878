"""The end of a process of polylens' own: Python's would take torch's modules apart for a second or more.

All that is registered for the end of the process is done first, and threads are waited for, as ever: what is
registered earliest comes last, so this file is imported before anything else of polylens.
"""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress

_CODES: list[int] = []
"""The exit code, once it is known."""


def leave_with(code: int) -> None:
    """Ends the process with an exit code, as soon as nothing is left to be done."""
    _CODES.append(code)
    sys.exit(code)


@atexit.register
def _leave() -> None:
    if not _CODES:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # its reader left, or it is closed
            stream.flush()
    os._exit(_CODES[-1])
