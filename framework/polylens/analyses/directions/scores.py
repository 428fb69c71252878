"""Meaning of groups of rows, and how directions pass through clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from polylens.analyses.directions.families import RANDOM, Family
from polylens.analyses.directions.meanings import Meanings
from polylens.records import NOISE, Number
from polylens.statistics import (
    LEVEL,
    Blocks,
    Interval,
    Shares,
    above_the_rest,
    dealt_sizes,
    difference_limits,
    held_out_share,
    information_agreement,
    least_lead,
    majorities,
    matched_members,
    median_lift,
    metric_name,
    purity,
    standardise,
    subsamples,
    top_rows,
)
from polylens.streams import Streams

CLUSTERS = "clusters"
"""The clusters among the groupings that are compared."""
_LEAD_IS = f"{LEVEL * 100:.0f} % interval of a difference of shares (variance estimates recovery)"


@dataclass(frozen=True)
class Group:
    """Rows grouped by clusters, or by the directions of one family."""

    name: str
    labels: Int64[np.ndarray, "rows"]
    """Cluster or direction each row is a member of; -1 for none. Sizes and coverage are the clusters'."""
    tops: tuple[Int64[np.ndarray, "members"], ...]
    """The plain top rows of each direction, as many as members; a row may be in several. Of clusters, their
    members."""
    family: Family | None = None

    @staticmethod
    def of(family: Family, clusters: Int64[np.ndarray, "rows"], streams: Streams) -> Group:
        """The members of a family's directions, each as many as the cluster that it shares most rows with."""
        scores = standardise(family.scores)
        sizes = dealt_sizes(scores, clusters, generator=streams.generator("ties"))
        return Group(
            family.name,
            matched_members(above_the_rest(scores, sizes), sizes, generator=streams.generator("ties")),
            top_rows(scores, sizes, generator=streams.generator("ties")),
            family,
        )

    @cached_property
    def top_pairs(self) -> tuple[Int64[np.ndarray, "pairs"], Int64[np.ndarray, "pairs"]]:
        """Row and direction of every plain top row."""
        direction = np.repeat(np.arange(len(self.tops)), [len(rows) for rows in self.tops])
        return np.concatenate([np.zeros(0, np.int64), *self.tops]), direction.astype(np.int64)

    @property
    def top_coverage(self) -> float:
        """Share of all rows that are a plain top row of any direction."""
        return float(len(np.unique(self.top_pairs[0])) / max(len(self.labels), 1))


class Resampling:
    """Resamples of the examples with replacement: every score is taken on the same draws."""

    def __init__(self, blocks: Blocks, *, count: int, streams: Streams) -> None:
        self._blocks, self._streams, self.count = blocks, streams, count

    def each(
        self, score: Callable[[Int64[np.ndarray, "rows"]], float | None]
    ) -> Float64[np.ndarray, "resamples"]:
        """A score on every resample, given how often each row is drawn; NaN where it is not defined."""
        scores = np.full(self.count, np.nan)
        for number in range(self.count):
            times = self._blocks.multiplicities(self._streams.generator("resample", number))
            value = score(times[self._blocks.block])
            scores[number] = np.nan if value is None else value
        return scores

    def mean(
        self, rows: Int64[np.ndarray, "some"], values: Float64[np.ndarray, "some"]
    ) -> tuple[float, Float64[np.ndarray, "resamples"]]:
        """The mean of values, one for each of some rows, and their mean on every resample."""

        def weighted(times: Int64[np.ndarray, "rows"]) -> float | None:
            weights = times[rows]
            return float(np.average(values, weights=weights)) if weights.sum() else None

        return float(values.mean()) if len(values) else float("nan"), self.each(weighted)


def meaning_numbers(
    groups: Sequence[Group],
    meanings: Meanings,
    resampling: Resampling,
    *,
    permutations: int,
    streams: Streams,
    after_each: Callable[[], object],
) -> dict[str, Number]:
    """Purity, agreement and held-out worth of every grouping, beside chance, and the clusters' lead."""
    numbers: dict[str, Number] = {}
    drawn: dict[str, Float64[np.ndarray, "resamples"]] = {}
    shuffled = list(meanings.shuffles(permutations, streams))
    chance_is = f"mean of {permutations} {meanings.shuffle_is}"
    rounds = f"mean of {permutations} rounds of naming and scoring, {meanings.shuffle_is}"
    for group in groups:
        members = np.flatnonzero(group.labels != NOISE)
        pure, drawn[group.name] = _purity(
            members, group.labels[members], meanings, shuffled, resampling, chance_is
        )
        evidence = meanings.evidence(
            group.labels,
            permutations=permutations,
            streams=streams.child("names"),
        )
        by: dict[str, Number | None] = {
            "purity": pure,
            "adjusted_mutual_information": _agreement(
                group.labels, meanings, resampling, permutations, streams, chance_is
            ),
            "distinct_meanings": _distinct(group.labels, meanings, shuffled, chance_is),
            "held_out_share": held_out_share(evidence, chance_is=rounds),
            "median_lift": median_lift(evidence, chance_is=rounds),
        }
        by["top_purity"], _ = _purity(*group.top_pairs, meanings, shuffled, resampling, chance_is)
        by["top_coverage"] = Number(group.top_coverage)
        numbers |= {metric_name(name, group.name): each for name, each in by.items() if each is not None}
        after_each()
    return numbers | _leads(numbers, drawn)


def _purity(
    rows: Int64[np.ndarray, "pairs"],
    groups: Int64[np.ndarray, "pairs"],
    meanings: Meanings,
    shuffled: Sequence[Int64[np.ndarray, "rows"]],
    resampling: Resampling,
    chance_is: str,
) -> tuple[Number | None, Float64[np.ndarray, "resamples"]]:
    """Purity of members, and their purity on each resample of the examples.

    Args:
        rows: row of each member.
        groups: cluster or direction that each is a member of.
        meanings: of all rows.
        shuffled: the meanings of all rows, shuffled, once for each shuffle.
        resampling: of the examples.
        chance_is: what is shuffled, in words.
    """
    value = purity(groups, meanings.values[rows])
    if value is None:
        return None, np.full(resampling.count, np.nan)
    # The most common meanings stay: found again on each resample, they would fit it better than the rows.
    common = majorities(groups, meanings.values[rows], n_clusters=int(groups.max()) + 1)
    hits = meanings.values[rows] == common[groups]
    _, drawn = resampling.mean(rows, hits.astype(np.float64))
    (interval,) = Shares.of(hits, example=meanings.blocks.block[rows]).intervals()
    chance = float(np.mean([purity(groups, each[rows]) for each in shuffled]))
    return (
        Number(value, interval.low, interval.high, interval.meaning, chance=chance, chance_is=chance_is),
        drawn,
    )


def _distinct(
    labels: Int64[np.ndarray, "rows"],
    meanings: Meanings,
    shuffled: Sequence[Int64[np.ndarray, "rows"]],
    chance_is: str,
) -> Number:
    """How many different meanings are the most common one of a group."""
    count = int(labels.max()) + 1

    def count_distinct(values: Int64[np.ndarray, "rows"]) -> int:
        return len(np.unique(majorities(labels, values, n_clusters=count)))

    return Number(
        float(count_distinct(meanings.values)),
        chance=float(np.mean([count_distinct(each) for each in shuffled])),
        chance_is=chance_is,
    )


def _agreement(
    labels: Int64[np.ndarray, "rows"],
    meanings: Meanings,
    resampling: Resampling,
    permutations: int,
    streams: Streams,
    chance_is: str,
) -> Number:
    """Agreement of groups and meanings by information; rows of no group tell nothing."""
    # A row drawn twice agrees with itself beyond what is adjusted for: fewer rows are drawn instead.
    interval = Interval.of(
        (
            information_agreement(labels[kept], meanings.common[kept])
            for kept in subsamples(meanings.blocks, count=resampling.count, streams=streams)
        ),
        meaning="5 to 95 % of {count} draws of 80 % of the examples, the groups as they are",
    )
    null = meanings.null(labels, permutations, streams).information
    return Number(
        information_agreement(labels, meanings.common),
        interval.low,
        interval.high,
        interval.meaning,
        chance=float(null.mean()),
        chance_is=chance_is,
    )


def _leads(
    numbers: Mapping[str, Number], drawn: Mapping[str, Float64[np.ndarray, "resamples"]]
) -> dict[str, Number]:
    """How much purer clusters are than each family, and than the purest of them.

    The lead over the purest is the least of all leads, and so are its limits: its lower limit holds as often
    as that of any one lead, whichever family is the purest.
    """
    own = numbers[metric_name("purity", CLUSTERS)]
    leads: dict[str, Number] = {}
    for name in drawn:
        if name == CLUSTERS:
            continue
        rival = numbers[metric_name("purity", name)]
        low, high = difference_limits(
            _with_limits(own), _with_limits(rival), correlation=_correlation(drawn[CLUSTERS], drawn[name])
        )
        leads[name] = Number(
            own.value - rival.value, low, high, _LEAD_IS, chance=0.0, chance_is="equally pure"
        )
    numbers_of_leads = {metric_name("purity_lead", name): lead for name, lead in leads.items()}
    rivals = [lead for name, lead in leads.items() if name != RANDOM]
    if rivals:
        numbers_of_leads["least_purity_lead"] = least_lead(rivals)
    return numbers_of_leads


def _with_limits(number: Number) -> tuple[float, float, float]:
    low, high = number.low, number.high
    return number.value, number.value if low is None else low, number.value if high is None else high


def _correlation(one: Float64[np.ndarray, "resamples"], other: Float64[np.ndarray, "resamples"]) -> float:
    """How far two purities go up and down together over resamples; 0 where one of them never changes."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 2 or not np.ptp(one[known]) or not np.ptp(other[known]):
        return 0.0
    return float(np.corrcoef(one[known], other[known])[0, 1])
