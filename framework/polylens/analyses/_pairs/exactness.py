"""Whether crossings are exact, as a number and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylens.records import Findings, Number

if TYPE_CHECKING:
    from polylens.geometry import Part


def exactness(part: Part, notes: list[str]) -> Number:
    """1 where all crossings between two points are found, 0 where they are sampled.

    Args:
        part: of the network, that is walked.
        notes: the reason is added, where crossings are sampled.
    """
    if part.obstacles:
        notes.append(f"Crossings are sampled, and there may be more: {part.obstacles[0]}.")
    return Number(float(not part.obstacles))


def in_words(findings: Findings) -> str:
    """Whether crossings are exact, as a sentence for captions."""
    exact = findings.numbers["exact"].value == 1
    return "Crossings are exact." if exact else "Crossings are sampled: not exact, there may be more."
