"""What `polylens doctor` says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    level: Level
    what: str
    said: str
    todo: str = ""
    """What to do about it; empty where all is well."""
