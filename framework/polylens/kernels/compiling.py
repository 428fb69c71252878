"""How every kernel is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """The function as machine code, kept on disk, running without Python's lock so that threads share the
    work.

    Where no folder can be written (a read-only installation of a user without a home), it is compiled anew in
    each process.
    """
    try:
        made = njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:
        made = njit(nogil=True, error_model="numpy")(function)
    return made  # type: ignore[no-any-return]
