"""Engines without the checks of their arrays' shapes that `tests/conftest.py` adds: as users run them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jaxtyping import config


@contextmanager
def unchecked(*, when: bool = True) -> Iterator[None]:
    """Switches the checks off for a while: a resampled statistic takes three times as long with them.

    Args:
        when: whether to; the first round of a simulation is checked, as all others are like it.
    """
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", value=before or when)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", value=before)
