"""Drawing examples again: stability ranges of clusterings by subsamples, intervals by the bootstrap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import RangeKind
from polylens.statistics.blocks import Blocks
from polylens.streams import Streams

SUBSAMPLE_FRACTION = 0.8
"""Share of the examples in each subsample."""

LEVEL = 0.9
"""How much of what can happen every interval is meant to hold."""
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True)
class Interval:
    """Limits of a number: the middle 90 % of its resampled values, or a 90 % interval that is computed."""

    low: float | None
    high: float | None
    meaning: str
    """What the interval is, such as `5 to 95 % of 200 resamples`; empty where there is none."""
    range_is: RangeKind = "interval"

    @staticmethod
    def none(*, range_is: RangeKind = "interval") -> Interval:
        """The interval of a number that has none."""
        return Interval(low=None, high=None, meaning="", range_is=range_is)

    @staticmethod
    def of(values: Iterable[float | None], *, meaning: str, range_is: RangeKind = "interval") -> Interval:
        """The 5th to 95th percentile of the values that are defined; none where fewer than two are.

        Args:
            values: one a resample; None where the number is not defined there.
            meaning: what was resampled, with `{count}` for how many values there are.
            range_is: `stability` where fewer examples were taken: that holds the truth at no known level.

        >>> Interval.of([1.0, 2.0, 3.0], meaning="{count} draws").high
        2.9
        """
        known = np.array([value for value in values if value is not None and np.isfinite(value)])
        if len(known) < 2:
            return Interval.none(range_is=range_is)
        low, high = np.quantile(known, [_LOW, _HIGH])
        return Interval(float(low), float(high), meaning.format(count=len(known)), range_is)


def bootstrap_interval(values: Iterable[float | None]) -> Interval:
    """The interval of a number that was computed again on resamples of the examples with replacement."""
    return Interval.of(values, meaning="5 to 95 % of {count} resamples of the examples, with replacement")


def stability_range(values: Iterable[float | None]) -> Interval:
    """The range of a number over clusterings of subsamples: how stable it is when there are fewer rows.

    It is no interval of uncertainty and no factor makes it one: fewer rows make fewer and thinner clusters,
    so the range lies beside the value. How much a number depends on examples and networks is seen over
    several seeds.
    """
    share = f"{SUBSAMPLE_FRACTION * 100:.0f} %"
    meaning = f"5 to 95 % of {{count}} subsamples of {share} of the examples, without replacement"
    return Interval.of(values, meaning=meaning, range_is="stability")


def subsamples(
    blocks: Blocks, *, count: int, streams: Streams, fraction: float = SUBSAMPLE_FRACTION
) -> tuple[Int64[np.ndarray, "chosen"], ...]:
    """Rows of `count` draws of a fraction of the examples, without replacement.

    A bootstrap would repeat rows, and repeated rows are clusters: clusterings are subsampled instead.
    """
    size = min(max(round(fraction * len(blocks)), 1), len(blocks))
    return tuple(
        blocks.rows_of(streams.generator("subsample", number).choice(len(blocks), size=size, replace=False))
        for number in range(count)
    )


def p_value(observed: float, null: Float64[np.ndarray, "permutations"]) -> float:
    """Chance that shuffled labels do as well: (1 + how many do) / (1 + how many there are).

    Source: Phipson and Smyth (2010): the observed labelling counts as one of the permutations.

    >>> p_value(2.0, np.array([0.0, 1.0, 3.0]))
    0.5
    """
    return float((1 + (null >= observed).sum()) / (1 + len(null)))
