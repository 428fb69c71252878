"""How every kernel is compiled."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_SOURCES = hashlib.sha256(
    b"".join(source.read_bytes() for source in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()
_PROCESS = uuid.uuid4().hex[:8]


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
    else:
        _keep_by_sources(made)
    return made  # type: ignore[no-any-return]


def _keep_by_sources(made: Any) -> None:
    """Makes what is kept on disk count only for the sources as they are, in files that one process writes.

    Left to itself, Numba compiles anew where the kernel's own file has changed, but not where that of another
    kernel has that it calls; and two processes that compile at once may write different code under one name.
    """
    kept = made._cache._cache_file
    kept._source_stamp = _SOURCES
    kept._data_name_pattern = f"{made._cache._impl.filename_base}.{_PROCESS}.{{number:d}}.nbc"
