"""What several runs found together: each question's scores over all seeds, and its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from polylens.records import Figure, Verdict


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
class Chapter:
    """One spec."""

    title: str
    about: str
    claim: str
    sections: tuple[Section, ...]
    verdicts: tuple[tuple[str, Verdict], ...] = ()
    """What the numbers of each run say of the claim, by the run's name."""


@dataclass(frozen=True)
class Overview:
    """Several runs, to be read by a person on one page."""

    title: str
    chapters: tuple[Chapter, ...]
    failed: tuple[str, ...] = ()
    """Names of runs that failed and are not on the page."""
