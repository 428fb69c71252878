"""What went into a run: datasets and weights, by digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Input:
    """A dataset or a network's weights, as MLflow shows it under a run's inputs."""

    name: str
    """What people call it, such as `digits`."""
    digest: str
    """Changes exactly when the contents do."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from, as plain data: the resolved spec block."""
    profile: Mapping[str, Any] = field(default_factory=dict)
    """Sizes worth showing, such as `{"examples": 1797, "classes": 10}`."""
