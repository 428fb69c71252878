"""The network beside one of its controls, on equal terms."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from polylens.records.findings import Number
from polylens.wording import largest


@dataclass(frozen=True)
class Pair:
    """One number of the network and of one draw of a control."""

    own: float
    """The network's."""
    other: float
    """The draw's."""
    coverage: float | None = None
    """Share of all rows that both were taken on, where that depends on the draw."""


@dataclass(frozen=True)
class Comparison:
    """One number of the network and of a control, paired within each draw, and the network's lead."""

    terms: str
    """What makes the two comparable, such as `the strongest rows at the smaller coverage of the two`."""
    pairs: tuple[Pair | None, ...]
    """One a draw; None where the number is not defined for the draw, or for the network."""
    lead: Number | None
    """The network's minus the control's, the mean over the draws that have a pair; None where none has."""
    why: str = ""
    """Why there is no pair where there is none, such as `no clusters`."""

    @property
    def known(self) -> tuple[Pair, ...]:
        """The pairs of the draws that have one."""
        return tuple(pair for pair in self.pairs if pair is not None)

    @property
    def own(self) -> float | None:
        """The network's number, its mean over the pairs; None where there is no pair."""
        return fmean(pair.own for pair in self.known) if self.known else None

    @property
    def other(self) -> float | None:
        """The control's number, its mean over the pairs; None where there is no pair."""
        return fmean(pair.other for pair in self.known) if self.known else None

    @property
    def reach(self) -> float:
        """The size of the largest of its numbers, the lead's range included: finer digits say nothing."""
        return largest((self.own, self.other, 0.0 if self.lead is None else self.lead.reach))

    @property
    def share(self) -> str:
        """How many draws have a pair; empty where all have.

        >>> Comparison("", (Pair(1.0, 0.5), None), None).share
        '1 of 2'
        """
        return "" if len(self.known) == len(self.pairs) else f"{len(self.known)} of {len(self.pairs)}"
