"""Numbers and tables of local affine maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from polylens.analyses import _probing as probing
from polylens.analyses._pairs import Side
from polylens.analyses._pairs.ratios import why_not_matched
from polylens.errors import DataError
from polylens.geometry import LocalMaps, effective_ranks, map_distances
from polylens.records import Number, Rows
from polylens.statistics import (
    Blocks,
    DensityRatios,
    MeasuredPairs,
    bootstrap_interval,
    bootstrap_number,
    common_bins,
    density_ratios,
    partial_rank_correlation,
    rank_correlation,
    resampled_ratios,
    shuffled_ratios,
)
from polylens.streams import Streams

MEASURES = ("steps", "ends", "units")
"""What is measured of a pair: the mean distance of maps across boundaries of the segment, the distance of the
ends' maps, and the share of units in another regime at the two ends."""
_RANDOM = 2000
"""Random pairs whose maps are compared for the level of chance."""


def spectrum_numbers(
    spectra: Float64[np.ndarray, "points values"], *, resamples: int, streams: Streams
) -> dict[str, Number]:
    """Effective rank and largest singular value of the middle example."""
    values = {"effective_rank": effective_ranks(spectra), "largest_singular_value": spectra[:, 0]}
    return {
        name: bootstrap_number(
            of, np.median, resamples=resamples, generator=streams.generator("resample", name)
        )
        for name, of in values.items()
    }


def pair_numbers(
    pairs: Mapping[Side, MeasuredPairs],
    classes: Int64[np.ndarray, "points"],
    maps: LocalMaps,
    *,
    example: Int64[np.ndarray, "points"],
    bins: int,
    resamples: int,
    streams: Streams,
) -> tuple[dict[str, Number], tuple[str, ...]]:
    """Distances of maps within and between classes, and how they follow those of codes; with notes on them.

    Args:
        pairs: of both sides, with `MEASURES` of each pair; no distance is zero.
        classes: of the points.
        maps: of the points.
        example: of each point, copies as one.
        bins: equal bins of the range of distances that the pairs of both sides reach.
        resamples: of the examples, and as many shuffles of the classes.
        streams: all randomness.

    Raises:
        DataError: there are no pairs of one side.
    """
    same, different = pairs["same"], pairs["different"]
    if not len(same.pairs) or not len(different.pairs):
        raise DataError("all pairs of one kind are of equal points: there is nothing to compare")
    common = common_bins(same.distance, different.distance, bins=bins)
    notes = why_not_matched(common)
    in_one = int((same.values[:, 0] == 0).sum() + (different.values[:, 0] == 0).sum())
    if in_one:
        notes = (
            *notes,
            f"{in_one} pairs meet no boundary that changes the map: their steps count as 0.",
        )
    blocks = Blocks.of(example)
    observed = density_ratios(same, different, bins=common)
    resampled = resampled_ratios(
        same, different, bins=common, blocks=blocks, resamples=resamples, streams=streams
    )
    shuffled = shuffled_ratios(
        same,
        different,
        classes=classes[blocks.first],
        blocks=blocks,
        n_bins=bins,
        permutations=resamples,
        streams=streams,
    )
    random = _random_distance(maps, len(classes), streams)
    numbers = {"ends_random": Number(random)}
    numbers |= _measure_numbers(observed, list(resampled), list(shuffled), random=random)
    numbers["overlap"] = Number(observed.overlap)
    numbers |= _code_correlations(same.join(different), blocks, resamples=resamples, streams=streams)
    return numbers, notes


def _random_distance(maps: LocalMaps, n_points: int, streams: Streams) -> float:
    """Mean distance of the maps of two different points drawn at random."""
    left = streams.generator("random pairs").integers(n_points, size=_RANDOM)
    shift = streams.generator("random pairs", "right").integers(1, n_points, size=_RANDOM)
    return float(map_distances(maps.matrices[left], maps.matrices[(left + shift) % n_points]).mean())


def _measure_numbers(
    observed: DensityRatios,
    resampled: Sequence[DensityRatios],
    shuffled: Sequence[DensityRatios],
    *,
    random: float,
) -> dict[str, Number]:
    """Every measure within classes, between them, and their ratio, beside its level by chance.

    Args:
        observed: of the pairs.
        resampled: on resamples of the examples.
        shuffled: with classes shuffled over examples.
        random: the distance of maps of random pairs, the level by chance of steps.
    """
    numbers: dict[str, Number] = {}
    of_random = (random, "maps of random pairs")
    for column, measure in enumerate(MEASURES):
        mean = _mean(shuffled, measure, column)
        nothing: tuple[float | None, str] = (None, "")
        levels = {
            f"{measure}_same": of_random if measure == "steps" else nothing,
            f"{measure}_different": of_random if measure == "steps" else nothing,
            f"{measure}_ratio": nothing
            if mean is None
            else (mean, f"mean of {len(shuffled)} shuffles of classes over examples"),
        }
        for name, (chance, chance_is) in levels.items():
            value = _value(observed, name, column)
            if not np.isfinite(value):
                continue
            interval = bootstrap_interval(_value(each, name, column) for each in resampled)
            numbers[name] = Number(
                value, interval.low, interval.high, interval.meaning, chance=chance, chance_is=chance_is
            )
    return numbers


def _code_correlations(
    pairs: MeasuredPairs, blocks: Blocks, *, resamples: int, streams: Streams
) -> dict[str, Number]:
    """The rank correlation of distances of maps with those of codes, plain and beyond those of points."""
    values = pairs.measure
    ends, units, apart = values[:, 1], values[:, 2], pairs.distance

    def both(index: Int64[np.ndarray, "chosen"]) -> tuple[float, float]:
        some = ends[index], units[index]
        return rank_correlation(*some), partial_rank_correlation(*some, beyond=apart[index])

    observed = both(np.arange(len(ends)))
    drawn = []
    for number in range(resamples):
        times = blocks.multiplicities(streams.generator("resample", number))
        weights = pairs.pairs.weights(times[blocks.block]).astype(np.int64)
        drawn.append(both(np.repeat(np.arange(len(ends)), weights)))
    numbers = {}
    for index, name in enumerate(("maps_by_codes", "maps_by_codes_beyond_distance")):
        if np.isfinite(observed[index]):
            interval = bootstrap_interval(each[index] for each in drawn)
            numbers[name] = Number(observed[index], interval.low, interval.high, interval.meaning)
    return numbers


def point_table(
    rows: Rows, chosen: Int64[np.ndarray, "chosen"], spectra: Float64[np.ndarray, "chosen values"]
) -> pd.DataFrame:
    """One line an example: what its map is like."""
    ids = np.array(rows.origins.example_ids, dtype=object)
    return pd.DataFrame(
        {
            "example": ids[rows.origins.example[chosen]],
            "class": probing.class_names(rows, chosen),
            "effective_rank": effective_ranks(spectra),
            "largest_singular_value": spectra[:, 0],
            "norm": np.linalg.norm(spectra, axis=1),
        }
    )


def spectrum_table(spectra: Float64[np.ndarray, "points values"]) -> pd.DataFrame:
    """One line a singular value, largest first: how it spreads over examples."""
    low, middle, high = np.quantile(spectra, [0.05, 0.5, 0.95], axis=0)
    rank = np.arange(1, spectra.shape[1] + 1)
    return pd.DataFrame({"place": rank, "quantile_5": low, "median": middle, "quantile_95": high})


def pair_table(
    rows: Rows, chosen: Int64[np.ndarray, "chosen"], pairs: Mapping[Side, MeasuredPairs]
) -> pd.DataFrame:
    """One line a pair: how far its points, maps and codes are from each other."""
    both = pairs["same"].join(pairs["different"])
    ids = np.array(rows.origins.example_ids, dtype=object)[rows.origins.example[chosen]]
    table = pd.DataFrame(
        {
            "left": ids[both.pairs.left],
            "right": ids[both.pairs.right],
            "same_class": np.arange(len(both.pairs)) < len(pairs["same"].pairs),
            "distance": both.distance,
        }
    )
    for column, measure in enumerate(MEASURES):
        table[measure] = both.measure[:, column]
    return table


def _value(ratios: DensityRatios, name: str, column: int) -> float:
    which = name.rpartition("_")[2]
    values = {"same": ratios.same_measure, "different": ratios.different_measure, "ratio": ratios.matched}
    return float(values[which][column])


def _mean(shuffled: Sequence[DensityRatios], measure: str, column: int) -> float | None:
    values = np.array([_value(each, f"{measure}_ratio", column) for each in shuffled])
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
