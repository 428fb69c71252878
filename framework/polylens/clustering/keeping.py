"""Somewhere to keep finished passes, so that an interrupted tree goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class PartKeeper(Protocol):
    """Keeps arrays by name; of one clustering of one set of rows."""

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """What was kept under the name; None where nothing whole is."""

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keeps arrays, all or none of them."""


class Forgetful:
    """Keeps nothing."""

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """Nothing."""
        return None

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Lets go of the arrays."""
