"""Processor cores: how many this process may use, and other libraries held to one of them."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from typing import Any

_found: tuple[int, Any] = (0, None)
"""The thread pools of the libraries that were loaded beside so many modules."""


def cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_thread(pools: str | None = None) -> AbstractContextManager[object]:
    """Holds what libraries compute in the block to one thread each, as every core has one of ours already.

    Args:
        pools: `blas` for products of matrices alone; None for OpenMP's loops as well.
    """
    global _found
    from threadpoolctl import ThreadpoolController

    # Looking through all libraries takes ten milliseconds. They are loaded by the modules that call them.
    loaded = len(sys.modules)
    if _found[0] != loaded:
        _found = (loaded, ThreadpoolController())
    held: AbstractContextManager[object] = _found[1].limit(limits=1, user_api=pools)
    return held
