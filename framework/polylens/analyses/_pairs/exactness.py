"""Whether crossings are exact, as a number and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylens.records import Findings, Number

if TYPE_CHECKING:
    from polylens.geometry import Part


def exactness(part: Part) -> Number:
    """1 where every crossing of a part of the network is found, 0 where crossings are sampled."""
    return Number(float(not part.obstacles))


def why_sampled(part: Part) -> tuple[str, ...]:
    """A sentence that says why crossings of a part of the network are not exact; none where they are."""
    if not part.obstacles:
        return ()
    return (f"Crossings are sampled, and there may be more: {part.obstacles[0]}.",)


def in_words(findings: Findings) -> str:
    """Whether crossings are exact, as a sentence for captions."""
    exact = findings.numbers["exact"].value == 1
    return "Crossings are exact." if exact else "Crossings are sampled: not exact, there may be more."
