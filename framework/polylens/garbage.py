"""Python's search for garbage: a tenth of a run, where it goes through all that was imported."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ours = False


def own_process() -> None:
    """Says that this process does polylens' work and no other: what it imports is not searched again.

    Elsewhere, as in a notebook, it is: what others had there by then could no longer be freed either, where
    parts of it refer to each other.
    """
    global _ours
    _ours = True


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
