"""Shares of rows, and intervals of them that hold near 0 and 1 and where rows of one example go together."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.statistics.resampling import LEVEL, Interval


@dataclass(frozen=True)
class Shares:
    """Shares of rows that something is true of, each with the sums over examples that say how sure it is."""

    hits: Float64[np.ndarray, "shares"]
    """Weight of the rows that it is true of."""
    rows: Float64[np.ndarray, "shares"]
    """Weight of all rows."""
    hits_squared: Float64[np.ndarray, "shares"]
    """Squares of each example's hits, summed over examples."""
    hits_by_rows: Float64[np.ndarray, "shares"]
    """Each example's hits times its rows, summed."""
    rows_squared: Float64[np.ndarray, "shares"]
    """Squares of each example's rows, summed."""
    examples: Int64[np.ndarray, "shares"]
    with_hits: Int64[np.ndarray, "shares"]
    """Examples with a row that it is true of."""
    with_misses: Int64[np.ndarray, "shares"]
    """Examples with a row that it is not true of."""
    most: Float64[np.ndarray, "shares"]
    """How many rows the rows are worth if all are independent: their number, fewer where weights differ."""

    @staticmethod
    def of(
        hits: Bool[np.ndarray, "rows"] | Float64[np.ndarray, "rows"],
        *,
        example: Int64[np.ndarray, "rows"],
        group: Int64[np.ndarray, "rows"] | None = None,
        count: int = 1,
        weights: Float64[np.ndarray, "rows"] | None = None,
    ) -> Shares:
        """The share of hits among the rows of each group.

        Args:
            hits: whether it is true of each row, or how much of it is, from 0 to 1.
            example: which example each row is of.
            group: which share each row counts in, below `count`; all in one where None.
            count: how many shares there are.
            weights: how much each row counts; once each where None.
        """
        where = np.zeros(len(hits), np.int64) if group is None else group
        weight = np.ones(len(hits)) if weights is None else weights
        width = int(example.max(initial=0)) + 1
        pairs, at = np.unique(where * width + example, return_inverse=True)
        own = np.bincount(at, weight, minlength=len(pairs))
        hit = np.bincount(at, weight * hits, minlength=len(pairs))
        missed = np.bincount(at, hits < 1, minlength=len(pairs)) > 0
        has_hit = np.bincount(at, hits > 0, minlength=len(pairs)) > 0
        of = (pairs // width).astype(np.int64)

        def sum_up(values: np.ndarray) -> Float64[np.ndarray, "shares"]:
            return np.bincount(of, values, minlength=count).astype(np.float64)

        squares = np.bincount(where, weight**2, minlength=count)
        total = sum_up(own)
        return Shares(
            hits=sum_up(hit),
            rows=total,
            hits_squared=sum_up(hit**2),
            hits_by_rows=sum_up(hit * own),
            rows_squared=sum_up(own**2),
            examples=np.bincount(of, minlength=count).astype(np.int64),
            with_hits=sum_up(has_hit).astype(np.int64),
            with_misses=sum_up(missed).astype(np.int64),
            most=np.divide(total**2, squares, out=np.zeros(count), where=squares > 0),
        )

    @staticmethod
    def among(
        group: Int64[np.ndarray, "hits"],
        example: Int64[np.ndarray, "hits"],
        *,
        rows: Int64[np.ndarray, "examples"],
        count: int,
    ) -> Shares:
        """The share of the hits of each group among all rows, where a row may be a hit of several groups.

        Args:
            group: which share each hit counts in, below `count`.
            example: which example it is of.
            rows: rows of each example; none of an example that does not take part.
            count: how many shares there are.
        """
        pairs, hit = np.unique(group * max(len(rows), 1) + example, return_counts=True)
        of, where = np.divmod(pairs, max(len(rows), 1))

        def sum_up(values: np.ndarray) -> Float64[np.ndarray, "shares"]:
            return np.bincount(of, values, minlength=count).astype(np.float64)

        examples = np.full(count, (rows > 0).sum(), dtype=np.int64)
        return Shares(
            hits=sum_up(hit),
            rows=np.full(count, float(rows.sum())),
            hits_squared=sum_up(hit.astype(np.float64) ** 2),
            hits_by_rows=sum_up(hit * rows[where].astype(np.float64)),
            rows_squared=np.full(count, float((rows.astype(np.float64) ** 2).sum())),
            examples=examples,
            with_hits=np.bincount(of, minlength=count).astype(np.int64),
            with_misses=examples - sum_up(hit == rows[where]).astype(np.int64),
            most=np.full(count, float(rows.sum())),
        )

    def at(self, index: Int64[np.ndarray, "chosen"]) -> Shares:
        """Some of the shares."""
        return Shares(**{each.name: getattr(self, each.name)[index] for each in fields(self)})

    @property
    def values(self) -> Float64[np.ndarray, "shares"]:
        """The shares, in [0, 1]; NaN where there are no rows."""
        undefined = np.full(len(self.rows), np.nan)
        return np.asarray(np.divide(self.hits, self.rows, out=undefined, where=self.rows > 0))

    @property
    def effective_rows(self) -> Float64[np.ndarray, "shares"]:
        """How many independent rows each share is as sure as, at least the examples' and at most the rows'.

        The rows over the design effect: the variance between examples over that of independent rows. Where
        few examples differ from the others the variance between them is hardly known, and the quantile of
        Student's t with as many degrees of freedom as there are such examples allows for it. Where none
        does it is not known at all, and each example counts as one row however many it has.

        Source: Korn and Graubard (1998), with the degrees of freedom of Dean and Pagano (2015) made those of
            the examples on the smaller side; Kish (1965) for examples of unequal size.
        """
        from scipy.special import stdtrit

        share = np.nan_to_num(self.values)
        between = self.hits_squared - 2 * share * self.hits_by_rows + share**2 * self.rows_squared
        least = np.divide(
            self.rows**2, self.rows_squared, out=np.zeros(len(share)), where=self.rows_squared > 0
        )
        known = (self.examples > 1) & (self.most > 1) & (between > 1e-9 * self.rows_squared)
        fewer = np.maximum(np.minimum(self.with_hits, self.with_misses), 1)
        quantile = (1 + LEVEL) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = self.examples / (self.examples - 1) * between / self.rows**2
            rows = self.most / (self.most - 1) * share * (1 - share) / variance
            freedom = np.minimum(fewer, self.examples - 1)
            rows *= (stdtrit(self.most - 1, quantile) / stdtrit(freedom, quantile)) ** 2
        return np.asarray(np.clip(np.where(known, rows, least), least, np.maximum(self.most, least)))

    def limits(self) -> tuple[Float64[np.ndarray, "shares"], Float64[np.ndarray, "shares"]]:
        """Lower and upper limit of each share; NaN where there are no rows.

        Never of zero width: of n rows without a miss the lower limit is the share at which one draw of n rows
        in twenty has none.

        Source: Clopper and Pearson (1934), on the effective number of rows.

        >>> low, high = Shares.of(np.ones(12, dtype=bool), example=np.arange(12)).limits()
        >>> low.round(3).tolist(), high.tolist()
        ([0.779], [1.0])
        """
        misses = self.with_misses > 0
        return proportion_limits(self.values, self.effective_rows, has_hits=self.hits > 0, has_misses=misses)

    def intervals(self) -> tuple[Interval, ...]:
        """The limits of each share with what they are; none where there are no rows."""
        return tuple(
            Interval(low=float(low), high=float(high), meaning=proportion_interval(worth))
            if np.isfinite(low)
            else Interval.none()
            for low, high, worth in zip(*self.limits(), self.effective_rows, strict=True)
        )


def proportion_interval(worth: float) -> str:
    """What the limits of a proportion are, whose rows are worth so many independent ones."""
    return f"{LEVEL * 100:.0f} % Clopper-Pearson interval, rows worth {worth:,.0f} independent ones"


def proportion_limits(
    share: Float64[np.ndarray, "shares"],
    rows: Float64[np.ndarray, "shares"],
    *,
    has_hits: Bool[np.ndarray, "shares"],
    has_misses: Bool[np.ndarray, "shares"],
) -> tuple[Float64[np.ndarray, "shares"], Float64[np.ndarray, "shares"]]:
    """Lower and upper limit of shares of so many independent rows; NaN where a share is NaN.

    Args:
        share: from 0 to 1.
        rows: how many independent rows each is worth.
        has_hits: whether anything counts for it; where nothing does the lower limit is 0.
        has_misses: whether anything counts against it; where nothing does the upper limit is 1.

    Source: Clopper and Pearson (1934).
    """
    from scipy.special import betaincinv

    hits = share * rows
    misses = rows - hits
    tail = (1 - LEVEL) / 2
    # Rounding must not make a miss of none.
    low = betaincinv(np.where(has_hits, hits, 1.0), misses + 1, tail)
    high = betaincinv(hits + 1, np.where(has_misses, misses, 1.0), 1 - tail)
    undefined = np.isnan(share)
    low = np.where(undefined, np.nan, np.where(has_hits, low, 0.0))
    high = np.where(undefined, np.nan, np.where(has_misses, high, 1.0))
    return low, high


def difference_limits(
    first: tuple[float, float, float], second: tuple[float, float, float], *, correlation: float
) -> tuple[float, float]:
    """Limits of one share less another, from the limits of both.

    Args:
        first: value, lower and upper limit.
        second: value, lower and upper limit of the other.
        correlation: of the two estimates, which are of the same examples.

    Source: Zou and Donner (2008), the method of variance estimates recovery; Newcombe (1998), method 10.

    >>> [round(limit, 3) for limit in difference_limits((1.0, 0.8, 1.0), (1.0, 0.8, 1.0), correlation=0.0)]
    [-0.2, 0.2]
    """
    (one, one_low, one_high), (two, two_low, two_high) = first, second

    def distance(left: float, right: float) -> float:
        return float(np.sqrt(max(left**2 + right**2 - 2 * correlation * left * right, 0.0)))

    return (
        one - two - distance(one - one_low, two_high - two),
        one - two + distance(one_high - one, two - two_low),
    )


def ratio_limits(
    above: tuple[Float64[np.ndarray, "n"], Float64[np.ndarray, "n"], Float64[np.ndarray, "n"]],
    below: tuple[Float64[np.ndarray, "n"], Float64[np.ndarray, "n"], Float64[np.ndarray, "n"]],
) -> tuple[Float64[np.ndarray, "n"], Float64[np.ndarray, "n"]]:
    """Limits of shares over other shares, from the limits of both, as if the two were independent.

    Args:
        above: values, lower and upper limits.
        below: values above 0, lower and upper limits.

    Source: Donner and Zou (2012), the method of variance estimates recovery for ratios.

    >>> certain = (np.array([0.5]), np.array([0.5]), np.array([0.5]))
    >>> low, high = ratio_limits((np.array([0.8]), np.array([0.6]), np.array([0.9])), certain)
    >>> low.round(6).tolist(), high.round(6).tolist()
    ([1.2], [1.8])
    """
    (value, low, high), (base, base_low, base_high) = above, below
    product = value * base
    with np.errstate(divide="ignore", invalid="ignore"):
        top = low * (2 * value - low)
        root = np.sqrt(np.maximum(product**2 - top * base_high * (2 * base - base_high), 0.0))
        least = np.where(top > 0, top / (product + root), np.where(np.isfinite(top), 0.0, np.nan))
        bottom = base_low * (2 * base - base_low)
        root = np.sqrt(np.maximum(product**2 - high * (2 * value - high) * bottom, 0.0))
        most = (product + root) / bottom
    return least, most
