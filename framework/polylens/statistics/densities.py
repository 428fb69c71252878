"""Polytope densities of pairs, compared between and within classes at equal distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

LEAST_OVERLAP = 0.1
"""Overlap of two distributions of distances below which pairs are not matched: few are left, and those at the
edges, where the bins are no longer narrow against how densities change."""


@dataclass(frozen=True)
class DistanceBins:
    """Equal bins over the range of distances that same-class and different-class pairs both reach."""

    edges: Float64[np.ndarray, "edges"]
    same: Int64[np.ndarray, "same"]
    """Bin of each same-class pair; -1 outside the common range."""
    different: Int64[np.ndarray, "different"]

    @property
    def count(self) -> int:
        """How many bins there are."""
        return len(self.edges) - 1

    def histograms(
        self,
        same_weight: Float64[np.ndarray, "same"] | None = None,
        different_weight: Float64[np.ndarray, "different"] | None = None,
    ) -> tuple[Float64[np.ndarray, "bins"], Float64[np.ndarray, "bins"]]:
        """Share of all same-class and of all different-class pairs in each bin."""
        return self._histogram(self.same, same_weight), self._histogram(self.different, different_weight)

    def overlap(
        self,
        same_weight: Float64[np.ndarray, "same"] | None = None,
        different_weight: Float64[np.ndarray, "different"] | None = None,
    ) -> float:
        """Common area of the two distance distributions, in [0, 1]: the smaller share of each bin, summed."""
        same, different = self.histograms(same_weight, different_weight)
        return float(np.minimum(same, different).sum())

    @cached_property
    def can_match(self) -> bool:
        """Whether pairs of both sides have enough distances in common to be compared at equal distance."""
        return self.overlap() >= LEAST_OVERLAP

    def _histogram(
        self, index: Int64[np.ndarray, "pairs"], weight: Float64[np.ndarray, "pairs"] | None
    ) -> Float64[np.ndarray, "bins"]:
        weights = np.ones(len(index)) if weight is None else weight
        kept = index >= 0
        total = weights.sum()
        counts = _bin_sums(index[kept], weights[kept], self.count)
        return np.asarray(counts / total if total else counts)


def common_bins(
    same: Float64[np.ndarray, "same"], different: Float64[np.ndarray, "different"], *, bins: int
) -> DistanceBins | None:
    """Equal bins from the larger of the two smallest distances to the smaller of the two largest.

    None where the pairs of the two sides have no distance in common.
    """
    if not len(same) or not len(different):
        return None
    low, high = max(same.min(), different.min()), min(same.max(), different.max())
    if low >= high:
        return None
    edges = np.linspace(low, high, bins + 1)
    return DistanceBins(edges=edges, same=_bin(same, edges), different=_bin(different, edges))


def matched_ratio(
    bins: DistanceBins,
    same: Float64[np.ndarray, "same measures"],
    different: Float64[np.ndarray, "different measures"],
    *,
    same_weight: Float64[np.ndarray, "same"] | None = None,
    different_weight: Float64[np.ndarray, "different"] | None = None,
) -> Float64[np.ndarray, "measures"]:
    """Mean of different-class pairs, weighted to the same-class distances, over the mean of same-class pairs.

    Bins that lack pairs of either side are left out. NaN where the ratio is not defined.

    Args:
        bins: of the distances of both sides.
        same: what same-class pairs are compared by, such as densities; one column a measure (a layer, or all
            layers pooled).
        different: what different-class pairs are compared by.
        same_weight: how often each same-class pair counts (a resample); once each where None.
        different_weight: how often each different-class pair counts; once each where None.
    """
    weight, same_mean = _bin_means(bins.same, same, same_weight, bins.count)
    other, different_mean = _bin_means(bins.different, different, different_weight, bins.count)
    used = (weight > 0) & (other > 0)
    above = (weight[used, None] * different_mean[used]).sum(0)
    below = (weight[used, None] * same_mean[used]).sum(0)
    return np.asarray(np.divide(above, below, out=np.full(same.shape[1], np.nan), where=below > 0))


def matching_weights(
    bins: DistanceBins,
    *,
    same_weight: Float64[np.ndarray, "same"],
    different_weight: Float64[np.ndarray, "different"],
) -> tuple[Float64[np.ndarray, "same"], Float64[np.ndarray, "different"]]:
    """How much each pair counts for both sides to have the same-class distances, bin by bin.

    Pairs outside the common range, and in bins that lack pairs of either side, count nothing.

    Args:
        bins: of the distances of both sides.
        same_weight: how often each same-class pair counts before (a resample).
        different_weight: how often each different-class pair counts before.

    >>> bins = common_bins(np.array([1.0, 2.0, 4.0]), np.array([1.0, 4.0, 4.0]), bins=2)
    >>> matching_weights(bins, same_weight=np.ones(3), different_weight=np.ones(3))[1].tolist()
    [2.0, 0.5, 0.5]
    """
    same, different = (
        _bin_sums(index[index >= 0], weight[index >= 0], bins.count)
        for index, weight in ((bins.same, same_weight), (bins.different, different_weight))
    )
    used = (same > 0) & (different > 0)
    share = np.append(np.divide(same, different, out=np.zeros(bins.count), where=used), 0.0)
    return same_weight * np.append(used, False)[bins.same], different_weight * share[bins.different]


def _bin_means(
    index: Int64[np.ndarray, "pairs"],
    values: Float64[np.ndarray, "pairs measures"],
    weight: Float64[np.ndarray, "pairs"] | None,
    n_bins: int,
) -> tuple[Float64[np.ndarray, "bins"], Float64[np.ndarray, "bins measures"]]:
    kept = index >= 0
    weights = (np.ones(len(index)) if weight is None else weight)[kept]
    counts = _bin_sums(index[kept], weights, n_bins)
    sums = np.stack([_bin_sums(index[kept], weights * column[kept], n_bins) for column in values.T], axis=1)
    return counts, np.divide(sums, counts[:, None], out=np.zeros_like(sums), where=counts[:, None] > 0)


def _bin_sums(
    index: Int64[np.ndarray, "kept"], weights: Float64[np.ndarray, "kept"], n_bins: int
) -> Float64[np.ndarray, "bins"]:
    # NumPy counts nothing in integers, whatever the weights.
    return np.bincount(index, weights, minlength=n_bins).astype(np.float64)


def _bin(
    distance: Float64[np.ndarray, "pairs"], edges: Float64[np.ndarray, "edges"]
) -> Int64[np.ndarray, "pairs"]:
    index = np.minimum(np.searchsorted(edges, distance, side="right") - 1, len(edges) - 2)
    return np.where((distance < edges[0]) | (distance > edges[-1]), -1, index).astype(np.int64)


def relative_density(
    bins: DistanceBins, same: Float64[np.ndarray, "same"], different: Float64[np.ndarray, "different"]
) -> tuple[Float64[np.ndarray, "same"], Float64[np.ndarray, "different"]]:
    """Each pair's density over the mean density of same-class pairs of about its length (its bin).

    NaN outside the common range and in bins where no same-class pair crosses a boundary.
    """
    _, means = _bin_means(bins.same, same[:, None], None, bins.count)
    level = np.append(means[:, 0], np.nan)
    level[level == 0] = np.nan
    return same / level[bins.same], different / level[bins.different]
