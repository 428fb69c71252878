"""Runs side by side: what differs in their specs, in their numbers, and where their rows went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from polylens.records import Comparison, Figure, Number

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int64

RULE = (
    "A difference is called higher or lower where its 90 % interval leaves 0 out. The interval is made of "
    "the two numbers' own, as if they were independent (Zou and Donner 2008): for runs on the same examples "
    "it is mostly too wide. Stability ranges and spreads of draws are no intervals, and decide nothing."
)
"""What the words at the differences mean."""

Decision = Literal["higher", "lower", "open", "no interval", "not defined"]


def decided(difference: Number | None) -> Decision:
    """What an interval says of a difference: that it is above 0, below 0, or neither.

    `open` where the interval holds 0, `no interval` where there is none, `not defined` where one of the two
    numbers does not exist.

    >>> decided(Number(0.2, 0.1, 0.3)), decided(Number(0.2, -0.1, 0.5)), decided(Number(0.2)), decided(None)
    ('higher', 'open', 'no interval', 'not defined')
    """
    if difference is None or math.isnan(difference.value):
        return "not defined"
    if difference.low is None or difference.high is None or difference.range_is != "interval":
        return "no interval"
    if difference.low > 0:
        return "higher"
    return "lower" if difference.high < 0 else "open"


@dataclass(frozen=True)
class ContrastSide:
    """One of the runs, or a control of one."""

    letter: str
    """`A` for the first, to which the others are compared."""
    title: str
    """The run's name, and which control and draw of it."""
    run_id: str
    started: str
    """Date and time in UTC."""
    note: str = ""
    """Why it is this run where several have its name."""


@dataclass(frozen=True)
class SpecDifference:
    """A key at which the specs differ."""

    key: str
    """Dotted path in the resolved spec."""
    values: tuple[str | None, ...]
    """One a side; None where its spec has no such key."""
    origins: tuple[str, ...]
    """Where each value was written; empty where that is not known."""


@dataclass(frozen=True)
class NumberDifference:
    """One number of all sides, and by how much the others differ from the first."""

    name: str
    """Such as `quality/purity`."""
    headline: bool
    """Whether the summary of a run shows it."""
    numbers: tuple[Number | None, ...]
    """One a side; None where it has none."""
    differences: tuple[Number | None, ...]
    """Each further side less the first; None where one of the two has no such number."""

    @property
    def is_shown(self) -> bool:
        """Whether some difference's interval leaves 0 out."""
        return any(decided(each) in ("higher", "lower") for each in self.differences)


@dataclass(frozen=True)
class EqualTerms:
    """A number of two sides on equal terms, paired example by example."""

    name: str
    letter: str
    """Of the side that is compared to the first."""
    comparison: Comparison
    """`other` is the first side's number, `own` the further side's, and the lead that less the first's."""


@dataclass(frozen=True)
class Group:
    """One cluster of one side, or its noise."""

    name: str
    """The cluster's number, or `noise`."""
    label: str
    """What the side's labels call it; empty where nothing labels it."""
    size: int
    """Rows of the shared ones that are in it."""

    @property
    def words(self) -> str:
        """Number and label, such as `3 (seven)`."""
        return f"{self.name} ({self.label})" if self.label else self.name


@dataclass(frozen=True)
class Flow:
    """Where the rows of the first side's clusters went in another side's clustering."""

    letter: str
    """Of the other side."""
    analyses: tuple[str, str]
    """Whose clusters: the analysis of the first side and that of the other."""
    matched: str
    """How rows were matched, in a sentence."""
    n_rows: int
    """Rows that both have."""
    n_left_out: tuple[int, int]
    """Rows of each side that the other does not have."""
    agreement: Mapping[str, Number]
    """Adjusted scores, with stability ranges and chance levels."""
    counts: Int64[np.ndarray, "first second"]
    """Rows by group of the first and of the other side."""
    first: tuple[Group, ...]
    second: tuple[Group, ...]
    figure: Figure | None = None
    """The flow as a picture."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data: groups of both sides, and how many rows each two share."""
        return {
            "side": self.letter,
            "analyses": list(self.analyses),
            "matched": self.matched,
            "rows": self.n_rows,
            "left_out": list(self.n_left_out),
            "agreement": {name: _plain_number(number) for name, number in self.agreement.items()},
            "first": [asdict(group) for group in self.first],
            "second": [asdict(group) for group in self.second],
            "counts": self.counts.tolist(),
        }

    def largest(self, group: int, *, most: int) -> tuple[tuple[Group, int], ...]:
        """Where most rows of one of the first side's groups went, and how many."""
        row = [int(count) for count in self.counts[group]]
        order = sorted(range(len(row)), key=lambda index: -row[index])[:most]
        return tuple((self.second[index], row[index]) for index in order if row[index])


@dataclass(frozen=True)
class Contrast:
    """Several runs side by side."""

    sides: tuple[ContrastSide, ...]
    spec: tuple[SpecDifference, ...]
    numbers: tuple[NumberDifference, ...]
    equal_terms: tuple[EqualTerms, ...]
    flows: tuple[Flow, ...]
    refusals: tuple[str, ...]
    """What was not compared, and why: sentences."""

    @property
    def title(self) -> str:
        """What is compared."""
        return " | ".join(side.title for side in self.sides)

    def to_plain(self) -> dict[str, Any]:
        """Plain data, for `compare --json` and the artifact of a logged comparison."""
        return {
            "sides": [asdict(side) for side in self.sides],
            "spec": [asdict(line) for line in self.spec],
            "numbers": [
                {
                    "name": line.name,
                    "headline": line.headline,
                    "values": [_plain_number(number) for number in line.numbers],
                    "differences": [
                        None if number is None else {**_plain_number(number), "decision": decided(number)}
                        for number in line.differences
                    ],
                }
                for line in self.numbers
            ],
            "equal_terms": [
                {
                    "name": line.name,
                    "side": line.letter,
                    "terms": line.comparison.terms,
                    "first": line.comparison.other,
                    "second": line.comparison.own,
                    "difference": _plain_number(line.comparison.lead),
                    "decision": decided(line.comparison.lead),
                    "why": line.comparison.why,
                }
                for line in self.equal_terms
            ],
            "flows": [flow.to_plain() for flow in self.flows],
            "refusals": list(self.refusals),
        }

    @property
    def n_decided(self) -> int:
        """How many differences have an interval."""
        each = (decided(number) for line in self.numbers for number in line.differences)
        return sum(decision in ("higher", "lower", "open") for decision in each)

    @property
    def n_shown(self) -> int:
        """How many of these intervals leave 0 out."""
        each = (decided(number) for line in self.numbers for number in line.differences)
        return sum(decision in ("higher", "lower") for decision in each)


def _plain_number(number: Number | None) -> dict[str, Any]:
    """Value, range, what the range is, and chance; None for what is not there."""
    if number is None:
        return dict.fromkeys(("value", "low", "high", "range_is", "chance"))
    values = {"value": number.value, "low": number.low, "high": number.high, "chance": number.chance}
    finite = {
        key: value if value is not None and math.isfinite(value) else None for key, value in values.items()
    }
    return {**finite, "range_is": None if finite["low"] is None else number.range_is}
