"""What several runs found together: each question's scores over all seeds, and its pictures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import get_args

from polylens.records import Decision, Figure, Mark, Number, Verdict
from polylens.wording import largest


@dataclass(frozen=True)
class Spread:
    """One score over several seeds."""

    values: tuple[float, ...]
    """One a seed; of several draws of a control their mean."""
    share: str = ""
    """How many draws have the number, such as `2 of 3`; empty where all have it."""

    @property
    def mean(self) -> float | None:
        """The mean of the values; None where no seed has the number.

        >>> Spread((1.0, 3.0)).mean, Spread(()).mean
        (2.0, None)
        """
        return fmean(self.values) if self.values else None

    @property
    def deviation(self) -> float | None:
        """The values' standard deviation (n - 1); None of a single one.

        >>> Spread((1.0, 3.0)).deviation, Spread((1.0,)).deviation
        (1.4142135623730951, None)
        """
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers, as counts are."""
        return all(float(value).is_integer() for value in self.values)


@dataclass(frozen=True)
class SpreadRow:
    """One score by variant."""

    name: str
    """Such as `purity`."""
    by_variant: Mapping[str, Spread]
    """By `network`, control names and `raw_inputs`."""
    chance: Spread | None
    """The network's level under chance."""
    headline: bool

    @property
    def reach(self) -> float:
        """The size of the largest of its numbers: see `short`."""
        spreads = (*self.by_variant.values(), *(() if self.chance is None else (self.chance,)))
        return largest(value for spread in spreads for value in spread.values)


@dataclass(frozen=True)
class SpreadTable:
    """The scores of one analysis."""

    title: str
    rows: tuple[SpreadRow, ...]


@dataclass(frozen=True)
class Section:
    """Runs that differ in nothing but their seeds."""

    title: str
    """What was swept besides the seed; empty where nothing was."""
    subject: str
    """Model, layer, rows, seeds, polytope or proxy and why."""
    tables: tuple[SpreadTable, ...]
    figures: tuple[Figure, ...]
    """The scores over all seeds first, then what the run of the first seed drew."""


@dataclass(frozen=True)
class Dot:
    """One number of one run, at the place of the run."""

    place: str
    """What was swept, such as the layer's name."""
    value: float
    low: float | None = None
    high: float | None = None
    report: str = ""
    """Where the run's report lies as seen from the page, in the store."""


@dataclass(frozen=True)
class Multiple:
    """One number over all runs of one spec."""

    title: str
    """Such as `quality: purity`."""
    axis: str
    """What the places are, such as `layer`."""
    places: tuple[str, ...]
    """In the order of the sweep."""
    dots: Mapping[str, tuple[Dot, ...]]
    """By `network`, control names and `raw_inputs`; a run without the number is left out."""
    marks: Mapping[str, Mark]
    """How each variant is shown."""


@dataclass(frozen=True)
class RunLine:
    """One run of a spec, as the start page lists it."""

    name: str
    swept: str
    """What was swept, such as `layer hidden.3, seed 1`."""
    report: str
    """Where its report lies as seen from the page, in the store."""
    numbers: Mapping[str, Number | None]
    """The network's answering numbers by name, such as `quality: purity`; None where one is not defined."""
    verdict: Verdict | None = None
    """What the numbers say of the claim; None where the spec has no rule that decides."""


@dataclass(frozen=True)
class Chapter:
    """One spec."""

    title: str
    about: str
    claim: str
    sections: tuple[Section, ...]
    runs: tuple[RunLine, ...] = ()
    multiples: tuple[Multiple, ...] = ()
    """Each answering number over what was swept."""

    @property
    def question(self) -> str:
        """The first sentence of what it is about."""
        text = " ".join(self.about.split())
        found = re.match(r".*?[.?!:](?= |$)", text)
        return found[0].removesuffix(":") if found else text

    @property
    def decisions(self) -> str:
        """How often the claim was decided how, such as `supported in 2 runs, undecided in 1`."""
        counts = Counter(run.verdict.decision for run in self.runs if run.verdict is not None)
        found = [decision for decision in get_args(Decision) if counts[decision]]
        unit = f" run{'s' * (counts[found[0]] != 1)}" if found else ""
        return ", ".join(f"{each} in {counts[each]}{unit * (each == found[0])}" for each in found)


@dataclass(frozen=True)
class Overview:
    """Several runs, to be read by a person on one page."""

    title: str
    chapters: tuple[Chapter, ...]
    failed: tuple[str, ...] = ()
    """Names of runs that failed and are not on the page."""
