"""What became of a claim that is written so that numbers decide it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OR = ", or "
"""Stands between the lines of a rule, of which any refutes."""
Decision = Literal["supported", "refuted", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """A claim as its numbers decide it."""

    decision: Decision
    rule: str
    """What would refute the claim, as the spec writes it."""
    why: str
    """The numbers that decided, or what is missing or too uncertain to decide: one sentence."""

    @property
    def rules(self) -> tuple[str, ...]:
        """The rule line by line."""
        return tuple(self.rule.split(OR))
