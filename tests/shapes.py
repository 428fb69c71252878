"""Engines without the checks of their arrays' shapes that `tests/conftest.py` adds: as users run them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jaxtyping import config


@contextmanager
def unchecked() -> Iterator[None]:
    """Switches the checks off for a while; a resampled statistic takes three times as long with them."""
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", value=True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", value=before)
