"""What names of clusters, found on some examples, are worth on the others, however they were found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.statistics.shares import Shares, ratio_limits


@dataclass(frozen=True)
class Evidence(ABC):
    """How well each cluster's name, found on one part of the examples, fits the other part."""

    naming_rows: Int64[np.ndarray, "clusters"]
    """Rows of the cluster that named it."""
    statistic: Float64[np.ndarray, "clusters"]
    """How far the name's held-out share is above chance; 0 where there is nothing to score."""
    null_share: Float64[np.ndarray, "permutations clusters"]
    """Held-out share of the name, the whole procedure done on shuffled rows; NaN where undefined."""
    null_lift: Float64[np.ndarray, "permutations clusters"]
    null_statistic: Float64[np.ndarray, "permutations clusters"]
    fitting: Shares
    """Share of each named cluster's held-out rows that its name fits."""
    fitting_any: Shares
    """Share of all held-out rows, clustered or not, that each cluster's name fits."""
    fitting_together: Shares
    """One share: of the held-out rows of all named clusters those that their own cluster's name fits."""

    @property
    @abstractmethod
    def held_out_rows(self) -> Int64[np.ndarray, "clusters"]:
        """Rows of each cluster in the scoring part."""

    @property
    @abstractmethod
    def share(self) -> Float64[np.ndarray, "clusters"]:
        """Share of each cluster's held-out rows that its name fits; NaN where there are none."""

    @property
    @abstractmethod
    def lift(self) -> Float64[np.ndarray, "clusters"]:
        """`share` over the share that the name has of all held-out rows; NaN where it has none."""

    def share_limits(self) -> tuple[Float64[np.ndarray, "clusters"], Float64[np.ndarray, "clusters"]]:
        """Limits of each share; NaN where it is not defined."""
        return self.fitting.limits()

    def lift_limits(self) -> tuple[Float64[np.ndarray, "clusters"], Float64[np.ndarray, "clusters"]]:
        """Limits of each lift; NaN where it is not defined."""
        fits, anywhere = self.fitting, self.fitting_any
        low, high = ratio_limits(
            (fits.values, *fits.limits()),
            (np.where(anywhere.hits > 0, anywhere.values, np.nan), *anywhere.limits()),
        )
        return low, high

    @abstractmethod
    def chance_lift(self, level: float) -> Float64[np.ndarray, "clusters"]:
        """The lift a cluster of this size must exceed to be significant at `level`; 0 where unscored."""

    @property
    def best_null(self) -> Float64[np.ndarray, "permutations"]:
        """The highest statistic of any cluster in each round of shuffling: the family-wise null."""
        return np.asarray(self.null_statistic.max(1, initial=0.0))

    def critical(self, level: float) -> float:
        """The statistic that the best cluster of a shuffled round exceeds in `level` of rounds at most."""
        return float(np.quantile(self.best_null, 1 - level, method="higher"))

    def above_by_chance(self, level: float) -> Bool[np.ndarray, "permutations clusters"]:
        """Which clusters count as above chance in each round of shuffling, where nothing is."""
        return np.asarray(self.null_statistic > self.critical(level))

    @property
    def p_values(self) -> Float64[np.ndarray, "clusters"]:
        """Family-wise adjusted: how often the best cluster of a shuffled round does at least as well.

        Source: Westfall and Young (1993), single-step maxT.
        """
        beaten = (self.best_null[:, None] >= self.statistic[None]).sum(0)
        return np.asarray((1 + beaten) / (1 + len(self.null_statistic)))
