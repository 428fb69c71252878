"""How a variant is told from others in pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """The colour and the point that stand for one variant wherever it is drawn."""

    colour: str
    """`#rrggbb`."""
    marker: str
    """Matplotlib's letter for a shape, such as `s` for a square."""
