"""A process's memory: when Python looks for garbage in it, and what is kept of what was freed."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

KEPT = 1 << 30
"""Bytes of freed memory that a process of our own keeps at most, and the size from which an array is given
back to the system by itself."""

_ours = False


def own_process() -> None:
    """Says that this process does polylens' work and no other: its memory is managed for that work.

    What it imports is not searched for garbage again: a tenth of a run, where that goes through all that was
    imported. What it frees stays its own, up to `KEPT`. Elsewhere, as in a notebook, neither is so: what
    others had there by then could no longer be freed either, where parts of it refer to each other.
    """
    global _ours
    _ours = True
    keep_what_is_freed()


@contextmanager
def for_good() -> Iterator[None]:
    """A block that imports. No garbage is looked for in it.

    Modules stay, and nothing is to be found among their hundreds of thousands of objects.
    """
    is_looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_looked_for:
            if _ours:
                gc.freeze()
            gc.enable()


def keep_what_is_freed() -> None:
    """Has glibc keep freed memory, which every layer of a forward pass frees and the next one asks for again.

    By itself it gives each array of more than 32 MB back at once, and the system fills every page of the next
    one with zeros: two fifths of the time of a pass of images. Other allocators are left as they are.
    """
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return  # somebody has chosen already
    import ctypes

    with suppress(AttributeError, OSError, TypeError):  # no glibc: no `mallopt`, or no library under no name
        mallopt = ctypes.CDLL(None).mallopt
        mmap_threshold, trim_threshold = -3, -1  # M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h
        mallopt(mmap_threshold, KEPT)
        mallopt(trim_threshold, KEPT)
