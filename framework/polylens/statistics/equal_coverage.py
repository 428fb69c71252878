"""Purity of two clusterings at equal coverage: of each the rows that belong to their clusters most firmly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from polylens.records import NOISE, Partition
from polylens.statistics.partitions import majorities


@dataclass(frozen=True)
class Firmness:
    """Rows of one clustering, the firmest first, and whether each is of its cluster's most common class."""

    example: Int64[np.ndarray, "rows"]
    """Example of every row, clustered or not."""
    row: Int64[np.ndarray, "clustered"]
    """Clustered rows by falling strength."""
    end: Int64[np.ndarray, "strengths"]
    """For each strength that occurs, falling, how many of `row` have it or a greater one."""
    right: Bool[np.ndarray, "clustered"]
    """Whether each of `row` is of the most common class of its whole cluster."""

    @staticmethod
    def of(
        partition: Partition, targets: Int64[np.ndarray, "rows"], *, example: Int64[np.ndarray, "rows"]
    ) -> Firmness:
        """The rows of a partition by the strength with which they belong to their clusters."""
        labels = partition.labels
        kept = np.flatnonzero(labels != NOISE)
        row = kept[np.argsort(-partition.strength[kept], kind="stable")]
        most = majorities(labels, targets, n_clusters=partition.n_clusters)
        strength = partition.strength[row]
        end = np.flatnonzero(np.diff(strength, append=-np.inf)).astype(np.int64) + 1
        return Firmness(example=example, row=row, end=end, right=targets[row] == most[labels[row]])

    def curve(self, weight: Float[np.ndarray, "rows"]) -> Curve:
        """How many rows are right among the firmest ones, each row counted as often as its weight says."""
        each = weight[self.row]
        taken, right = np.cumsum(each), np.cumsum(each * self.right)
        at = self.end - 1
        total = max(float(weight.sum()), 1.0)
        return Curve(np.array([0.0, *taken[at]]) / total, np.array([0.0, *right[at]]) / total)


@dataclass(frozen=True)
class Curve:
    """Share of all rows taken, and of all rows taken and right, as strength falls; both begin at 0.

    Between two points lie rows of one strength: a part of them is taken as right as all of them are, so that
    their order decides nothing.
    """

    coverage: Float64[np.ndarray, "points"]
    right: Float64[np.ndarray, "points"]

    @property
    def most(self) -> float:
        """The coverage of the whole clustering."""
        return float(self.coverage[-1])

    @property
    def right_fraction(self) -> float:
        """Share of all rows that are clustered and right: coverage times purity."""
        return float(self.right[-1])

    def purity(self, coverage: float) -> float:
        """Purity of the firmest rows that cover so much; NaN at coverage 0.

        >>> Curve(np.array([0.0, 0.25, 0.75]), np.array([0.0, 0.25, 0.5])).purity(0.5)
        0.75
        """
        return float(np.interp(coverage, self.coverage, self.right)) / coverage if coverage > 0 else np.nan


@dataclass(frozen=True)
class EqualCoverage:
    """Two clusterings compared on the rows that both can take, and on all rows."""

    coverage: Float64[np.ndarray, "draws"]
    """The smaller coverage of the two; 0 where one has no clusters."""
    own: Float64[np.ndarray, "draws"]
    """Purity of the first at that coverage; NaN at coverage 0."""
    other: Float64[np.ndarray, "draws"]
    """Purity of the second at that coverage; NaN at coverage 0."""
    own_right: Float64[np.ndarray, "draws"]
    """Share of all rows that are clustered and right in the first."""
    other_right: Float64[np.ndarray, "draws"]
    """Share of all rows that are clustered and right in the second."""


def equal_coverage(
    own: Firmness, others: Sequence[Firmness], *, multiplicity: Float64[np.ndarray, "examples"] | None = None
) -> EqualCoverage:
    """One clustering beside each of several others, at the smaller coverage of the two.

    Args:
        own: the first.
        others: the others, of rows of the same examples.
        multiplicity: how often each example counts, by its number; once where None.
    """

    def curve(of: Firmness) -> Curve:
        weight = np.ones(len(of.example)) if multiplicity is None else multiplicity[of.example]
        return of.curve(weight)

    first, curves = curve(own), [curve(other) for other in others]
    shared = np.array([min(first.most, second.most) for second in curves])
    return EqualCoverage(
        coverage=shared,
        own=np.array([first.purity(each) for each in shared]),
        other=np.array([second.purity(each) for second, each in zip(curves, shared, strict=True)]),
        own_right=np.full(len(curves), first.right_fraction),
        other_right=np.array([second.right_fraction for second in curves]),
    )
