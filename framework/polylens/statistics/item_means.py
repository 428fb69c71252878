"""Means over items with what each example does to them, so that two means of the same examples compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import Number
from polylens.statistics.resampling import LEVEL
from polylens.statistics.shares import (
    Shares,
    difference_limits,
    proportion_interval,
    proportion_limits,
)

_LEAD_IS = f"{LEVEL * 100:.0f} % interval of a difference (variance estimates recovery)"


@dataclass(frozen=True)
class ItemMean:
    """A mean of what items are worth, from 0 to 1, with its limits over the examples."""

    value: float
    low: float
    high: float
    meaning: str
    """What the limits are."""
    influence: Float64[np.ndarray, "examples"]
    """Of each example: how fast the mean rises as the example counts for more."""

    @staticmethod
    def of_shares(worth: Float64[np.ndarray, "items"], *, example: Int64[np.ndarray, "items"]) -> ItemMean:
        """The plain mean, such as the share of items that are answered right.

        Args:
            worth: of each item, from 0 to 1; at least one.
            example: of each item.
        """
        shares = Shares.of(worth, example=example)
        (interval,) = shares.intervals()
        value = float(shares.values[0])
        influence = np.bincount(example, worth - value) / len(worth)
        return ItemMean(
            value, float(interval.low or 0.0), float(interval.high or 0.0), interval.meaning, influence
        )

    @staticmethod
    def of_areas(
        placed: Float64[np.ndarray, "items"],
        *,
        group: Int64[np.ndarray, "items"],
        example: Int64[np.ndarray, "items"],
    ) -> ItemMean:
        """The mean over groups of the area under the curve, each group by its items.

        A group's area is a mean over pairs of a member and another row. An item stands in many pairs, so
        its placement moves the area twice as much as it would move a plain mean. Where all items are placed
        alike nothing says how far areas vary: then the mean is as sure as that of pairs without a common
        item, and it is never less sure.

        Args:
            placed: by `placements`, for groups with as many members as others; at least one item.
            group: of each item.
            example: of each item.

        Source: DeLong, DeLong and Clarke-Pearson (1988); the infinitesimal jackknife over examples. Limits
            are Clopper and Pearson's on the effective number of pairs, as those of shares are.
        """
        from scipy.special import stdtrit

        count = float(len(placed))
        value = float(placed.mean())
        _, where = np.unique(group, return_inverse=True)
        own = np.bincount(where, placed) / np.bincount(where)
        influence = 2 * np.bincount(example, placed - own[where]) / count
        items = np.bincount(example)
        examples = int((items > 0).sum())
        pairs = count**2 / float((items.astype(np.float64) ** 2).sum()) / 2
        misplaced = np.bincount(example, placed < 1) > 0
        placed_well = np.bincount(example, placed > 0) > 0
        variance = float((influence**2).sum()) * examples / max(examples - 1, 1)
        rows = pairs
        if examples > 1 and variance > 1e-9 / count:
            freedom = max(min(int(misplaced.sum()), int(placed_well.sum()), examples - 1), 1)
            quantile = (1 + LEVEL) / 2
            narrower = stdtrit(count - 1, quantile) / stdtrit(freedom, quantile)
            rows = float(np.clip(value * (1 - value) / variance * narrower**2, pairs, max(count, pairs)))
        low, high = proportion_limits(
            np.array([value]),
            np.array([rows]),
            has_hits=np.array([bool(placed_well.any())]),
            has_misses=np.array([bool(misplaced.any())]),
        )
        return ItemMean(value, float(low[0]), float(high[0]), proportion_interval(rows), influence)

    @property
    def number(self) -> Number:
        """The mean with its limits."""
        return Number(self.value, self.low, self.high, self.meaning)

    def lead_over(self, other: ItemMean) -> Number:
        """This mean less another one of the same examples, with its interval; 0 is no difference.

        The interval is made of both means' limits and of how far both go up and down with the same examples.

        Source: Zou and Donner (2008), the method of variance estimates recovery.
        """
        own, others = (np.zeros(max(len(self.influence), len(other.influence))) for _ in range(2))
        own[: len(self.influence)], others[: len(other.influence)] = self.influence, other.influence
        length = float(np.sqrt((own**2).sum() * (others**2).sum()))
        low, high = difference_limits(
            (self.value, self.low, self.high),
            (other.value, other.low, other.high),
            correlation=float((own * others).sum() / length) if length > 0 else 0.0,
        )
        return Number(self.value - other.value, low, high, _LEAD_IS, chance=0.0, chance_is="no difference")


def least_lead(leads: list[Number]) -> Number:
    """The least of several leads, with the least of their limits.

    Its lower limit holds as often as that of any one lead, whichever the least lead is of.

    Args:
        leads: with limits, at least one.
    """
    return Number(
        min(lead.value for lead in leads),
        min(lead.low for lead in leads if lead.low is not None),
        min(lead.high for lead in leads if lead.high is not None),
        f"the least limits of {len(leads)} leads, each a {leads[0].interval}",
        chance=0.0,
        chance_is=leads[0].chance_is,
    )
