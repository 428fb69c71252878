"""Tables of `geometry.py`, as text that RESULTS.md can take."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def head(*names: str) -> None:
    """The first two lines of a table."""
    row(*names)
    row(*["---"] * len(names))


def row(*cells: object) -> None:
    """A line of a table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def spread(seconds: Sequence[float]) -> str:
    """The median, and from where to where."""
    return f"{median(seconds):.3g} ({min(seconds):.3g} to {max(seconds):.3g})"
