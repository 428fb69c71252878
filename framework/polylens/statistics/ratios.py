"""All the ratios of one set of pairs, again on resampled examples, and again with shuffled classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.statistics.blocks import Blocks
from polylens.statistics.densities import DistanceBins, common_bins, matched_ratio
from polylens.statistics.pairs import Pairs
from polylens.streams import Streams


@dataclass(frozen=True)
class MeasuredPairs:
    """Pairs of one side, with the distance of each and what is measured of it. No distance is zero."""

    pairs: Pairs
    distance: Float64[np.ndarray, "pairs"]
    values: Float64[np.ndarray, "pairs measures"]
    """What is measured of each pair, one column a measure, such as the distance of codes on each layer."""
    per_distance: bool = True
    """Whether pairs are compared by a density, the values over the distance, or by the values as they are."""

    @cached_property
    def measure(self) -> Float64[np.ndarray, "pairs measures"]:
        """What pairs are compared by: the density of the values where `per_distance`, else the values."""
        return np.asarray(self.values / self.distance[:, None]) if self.per_distance else self.values

    def choose(self, index: Bool[np.ndarray, "pairs"]) -> MeasuredPairs:
        """The pairs at which `index` is true."""
        pairs = Pairs(self.pairs.left[index], self.pairs.right[index])
        return replace(self, pairs=pairs, distance=self.distance[index], values=self.values[index])

    def join(self, other: MeasuredPairs) -> MeasuredPairs:
        """These pairs, followed by the other ones, of which the same is measured."""
        pairs = Pairs(
            np.concatenate([self.pairs.left, other.pairs.left]),
            np.concatenate([self.pairs.right, other.pairs.right]),
        )
        return replace(
            self,
            pairs=pairs,
            distance=np.concatenate([self.distance, other.distance]),
            values=np.concatenate([self.values, other.values]),
        )


@dataclass(frozen=True)
class DensityRatios:
    """Ratios of different-class to same-class pairs, one entry a measure (each layer, then their mean)."""

    matched: Float64[np.ndarray, "measures"]
    """Mean of what pairs are compared by, different-class pairs weighted to the same-class distances; NaN
    where not defined, or where the distances overlap too little."""
    same_measure: Float64[np.ndarray, "measures"]
    """Mean of what same-class pairs are compared by, not matched by distance."""
    different_measure: Float64[np.ndarray, "measures"]
    same_values: Float64[np.ndarray, "measures"]
    """Mean of what is measured of same-class pairs, before it is divided by the distance."""
    different_values: Float64[np.ndarray, "measures"]
    same_distance: float
    """Mean Euclidean distance of same-class pairs."""
    different_distance: float
    overlap: float
    """Common area of the two distance distributions."""

    @cached_property
    def numbers(self) -> Mapping[str, Float64[np.ndarray, "measures"] | float]:
        """The values by name."""
        return {
            "matched_ratio": self.matched,
            "raw_ratio": _over(self.different_measure, self.same_measure),
            "density_same": self.same_measure,
            "density_different": self.different_measure,
            "numerator_same": self.same_values,
            "numerator_different": self.different_values,
            "numerator_ratio": _over(self.different_values, self.same_values),
            "denominator_same": self.same_distance,
            "denominator_different": self.different_distance,
            "overlap": self.overlap,
        }


def density_ratios(
    same: MeasuredPairs,
    different: MeasuredPairs,
    *,
    bins: DistanceBins | None,
    same_weight: Float64[np.ndarray, "same"] | None = None,
    different_weight: Float64[np.ndarray, "different"] | None = None,
) -> DensityRatios:
    """The ratios of these pairs; weights say how often each pair counts.

    Nothing is matched where the distances of the pairs, each counted once, overlap by less than
    `LEAST_OVERLAP`.
    """
    n_measures = same.values.shape[1]
    weights = {"same_weight": same_weight, "different_weight": different_weight}
    matched = np.full(n_measures, np.nan)
    if bins is not None and bins.can_match:
        matched = matched_ratio(bins, same.measure, different.measure, **weights)
    return DensityRatios(
        matched=matched,
        same_measure=_mean(same.measure, same_weight),
        different_measure=_mean(different.measure, different_weight),
        same_values=_mean(same.values, same_weight),
        different_values=_mean(different.values, different_weight),
        same_distance=float(_mean(same.distance[:, None], same_weight)[0]),
        different_distance=float(_mean(different.distance[:, None], different_weight)[0]),
        overlap=0.0 if bins is None else bins.overlap(**weights),
    )


def resampled_ratios(
    same: MeasuredPairs,
    different: MeasuredPairs,
    *,
    bins: DistanceBins | None,
    blocks: Blocks,
    resamples: int,
    streams: Streams,
) -> Iterator[DensityRatios]:
    """The ratios on bootstrap resamples of the examples: a pair counts as its ends do, multiplied."""
    for number in range(resamples):
        times = blocks.multiplicities(streams.generator("resample", number))
        of_row = times[blocks.block]
        weights = same.pairs.weights(of_row), different.pairs.weights(of_row)
        if weights[0].any() and weights[1].any():
            yield density_ratios(
                same, different, bins=bins, same_weight=weights[0], different_weight=weights[1]
            )


def shuffled_ratios(
    same: MeasuredPairs,
    different: MeasuredPairs,
    *,
    classes: Int64[np.ndarray, "blocks"],
    blocks: Blocks,
    n_bins: int,
    permutations: int,
    streams: Streams,
) -> Iterator[DensityRatios]:
    """The ratios of the same pairs with classes shuffled over examples.

    Shuffling undoes the difference in distance too, so that nearly all pairs can be matched and these ratios
    scatter little. They say where chance lies, not how sure a ratio is: resampled examples and controls do.
    """
    everything = same.join(different)
    for number in range(permutations):
        shuffled = streams.generator("classes", number).permutation(classes)[blocks.block]
        alike = shuffled[everything.pairs.left] == shuffled[everything.pairs.right]
        if alike.any() and not alike.all():
            one, two = everything.choose(alike), everything.choose(~alike)
            yield density_ratios(one, two, bins=common_bins(one.distance, two.distance, bins=n_bins))


def _mean(
    values: Float64[np.ndarray, "pairs measures"], weight: Float64[np.ndarray, "pairs"] | None
) -> Float64[np.ndarray, "measures"]:
    return np.asarray(np.average(values, axis=0, weights=weight))


def _over(
    above: Float64[np.ndarray, "measures"], below: Float64[np.ndarray, "measures"]
) -> Float64[np.ndarray, "measures"]:
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))
