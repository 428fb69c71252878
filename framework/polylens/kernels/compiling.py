"""How every kernel is compiled, and which kernels Python runs itself where there is little to do."""

from __future__ import annotations

import functools
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_SOURCES = hashlib.sha256(
    b"".join(source.read_bytes() for source in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()
_FEW = 2048
"""Elements of an array: a kernel with one simple loop over so many takes Python 20 milliseconds."""
_MUCH = 256 * _FEW
"""Elements, of all calls together: by then Python has taken longer than it takes to compile the kernel."""


def compiled(function: Kernel) -> Kernel:
    """The function as machine code, kept on disk, running without Python's lock so that threads share the
    work.

    Where no folder can be written (a read-only installation of a user without a home), it is compiled anew in
    each process.
    """
    return _compile(function)


def compiled_inline(function: Kernel) -> Kernel:
    """The function as machine code that stands in that of each kernel calling it.

    For steps of a loop that take records. A call by itself counts the owners of every array in a record up
    and down again, one atomic operation each: in a loop over polygons that was a quarter of the time.
    """
    return _compile(function, inline="always")


def compiled_in_any_order(function: Kernel) -> Kernel:
    """The function as machine code that adds numbers up in whatever order is quickest.

    For sums that are compared with more to spare than any order can lose.
    """
    return _compile(function, fastmath={"reassoc", "contract", "nsz"})


def _compile(function: Kernel, **options: Any) -> Kernel:
    try:
        made = njit(nogil=True, cache=True, error_model="numpy", **options)(function)
    except RuntimeError:  # no folder can be written
        made = njit(nogil=True, error_model="numpy", **options)(function)
    else:
        _keep_by_sources(made)
    return made  # type: ignore[no-any-return]


def compiled_for_many(function: Kernel) -> Kernel:
    """The function as machine code, but run by Python itself where all its arrays are small and calls few.

    For a kernel whose time grows with its arrays, those of records it is given included.

    To compile such a kernel for the first time takes seconds, and its work on a few hundred rows takes Python
    milliseconds. Both run one source: every operation rounds as IEEE 754 says, so that results are equal to
    the last bit. No other kernel can call it.
    """
    made, plain = compiled(function), _interpreted(function)
    by_python = 0

    @functools.wraps(function)
    def chosen(*given: Any) -> Any:
        nonlocal by_python
        # By its largest array: that is the one its time goes by.
        size = max((array.size for array in _arrays(given)), default=0)
        if size > _FEW or by_python > _MUCH:
            return made(*given)
        by_python += size
        with np.errstate(all="ignore"):  # machine code does not warn either
            return plain(*given)

    return chosen  # type: ignore[return-value]


def _arrays(given: tuple[Any, ...]) -> Iterator[np.ndarray]:
    """The arrays among arguments, and in the records among them."""
    for item in given:
        if isinstance(item, tuple):
            yield from _arrays(item)
        elif isinstance(item, np.ndarray):
            yield item


def _interpreted(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function over its source's kernels as Python runs them."""
    # In a copy of the module's names: other kernels that it calls would be compiled after all.
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(names.get(name), Dispatcher):
            names[name] = _interpreted(names[name].py_func)
    return FunctionType(function.__code__, names, function.__name__, function.__defaults__)


def _keep_by_sources(made: Any) -> None:
    """Makes what is kept on disk count only for the sources as they are, in files that one process writes.

    Left to itself, Numba compiles anew where the kernel's own file has changed, but not where that of another
    kernel has that it calls; and two processes that compile at once may write different code under one name.
    """
    kept = made._cache._cache_file
    # Numba has no public way to say when what it kept is out of date.
    kept._source_stamp = _SOURCES
    kept._data_name_pattern = _FileNames(made._cache._impl.filename_base)


@dataclass(frozen=True)
class _FileNames:
    """Takes the place of Numba's pattern for the names of a kernel's files."""

    kernel: str

    def format(self, *, number: int) -> str:
        # Asked for when a file is written: a process may have been forked since the kernel was imported.
        return f"{self.kernel}.{_word_of(os.getpid())}.{number}.nbc"


@functools.cache
def _word_of(_process: int) -> str:
    """A word that no other process has, on this machine or another one that shares the folder."""
    return uuid.uuid4().hex[:8]
