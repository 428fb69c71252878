"""Numbers and tables of local affine maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from polylens.analyses import _probing as probing
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

_MEASURES = ("steps", "ends", "units")
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
    same: MeasuredPairs,
    different: MeasuredPairs,
    classes: Int64[np.ndarray, "points"],
    maps: LocalMaps,
    *,
    example: Int64[np.ndarray, "points"],
    bins: int,
    resamples: int,
    streams: Streams,
    notes: list[str],
) -> dict[str, Number]:
    """Distances of maps within and between classes, and how they follow those of codes."""
    if not len(same.pairs) or not len(different.pairs):
        raise DataError("all pairs of one kind are of equal points: there is nothing to compare")
    common = common_bins(same.distance, different.distance, bins=bins)
    notes += why_not_matched(common)
    in_one = int((same.code[:, 0] == 0).sum() + (different.code[:, 0] == 0).sum())
    if in_one:
        notes.append(f"{in_one} pairs meet no boundary that changes the map: their steps count as 0.")
    observed = density_ratios(same, different, bins=common)
    blocks = Blocks.of(example)
    resampled = list(
        resampled_ratios(same, different, bins=common, blocks=blocks, resamples=resamples, streams=streams)
    )
    shuffled = list(
        shuffled_ratios(
            same,
            different,
            classes=classes[blocks.first],
            blocks=blocks,
            n_bins=bins,
            permutations=resamples,
            streams=streams,
        )
    )
    left = streams.generator("random pairs").integers(len(classes), size=_RANDOM)
    shift = streams.generator("random pairs", "right").integers(1, len(classes), size=_RANDOM)
    random = float(map_distances(maps.matrices[left], maps.matrices[(left + shift) % len(classes)]).mean())

    numbers: dict[str, Number] = {"ends_random": Number(random)}
    for column, measure in enumerate(_MEASURES):
        for name, chance in (
            (f"{measure}_same", random if measure == "steps" else None),
            (f"{measure}_different", random if measure == "steps" else None),
            (f"{measure}_ratio", _mean(shuffled, measure, column)),
        ):
            value = _value(observed, name, column)
            if not np.isfinite(value):
                continue
            interval = bootstrap_interval(_value(each, name, column) for each in resampled)
            meaning = f"mean of {len(shuffled)} shuffles of classes over examples"
            numbers[name] = Number(
                value,
                interval.low,
                interval.high,
                interval.meaning,
                chance=chance,
                chance_is=""
                if chance is None
                else "maps of random pairs"
                if "ratio" not in name
                else meaning,
            )
    numbers["overlap"] = Number(observed.overlap)
    numbers |= _code_correlations(same.join(different), blocks, resamples=resamples, streams=streams)
    return numbers


def _code_correlations(
    pairs: MeasuredPairs, blocks: Blocks, *, resamples: int, streams: Streams
) -> dict[str, Number]:
    """The rank correlation of distances of maps with those of codes, plain and beyond those of points."""
    values = pairs.density
    ends, units, apart = values[:, 1], values[:, 2], pairs.distance

    def both(index: Int64[np.ndarray, "chosen"]) -> tuple[float, float]:
        found = ends[index], units[index]
        return rank_correlation(*found), partial_rank_correlation(*found, beyond=apart[index])

    observed = both(np.arange(len(ends)))
    drawn = []
    for number in range(resamples):
        times = blocks.multiplicities(streams.generator("resample", number))
        weights = pairs.pairs.weights(times[blocks.block]).astype(np.int64)
        drawn.append(both(np.repeat(np.arange(len(ends)), weights)))
    numbers = {}
    for place, name in enumerate(("maps_by_codes", "maps_by_codes_beyond_distance")):
        if np.isfinite(observed[place]):
            interval = bootstrap_interval(each[place] for each in drawn)
            numbers[name] = Number(observed[place], interval.low, interval.high, interval.meaning)
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
    place = np.arange(1, spectra.shape[1] + 1)
    return pd.DataFrame({"place": place, "quantile_5": low, "median": middle, "quantile_95": high})


def pair_table(
    rows: Rows, chosen: Int64[np.ndarray, "chosen"], same: MeasuredPairs, different: MeasuredPairs
) -> pd.DataFrame:
    """One line a pair: how far its points, maps and codes are from each other."""
    both = same.join(different)
    ids = np.array(rows.origins.example_ids, dtype=object)[rows.origins.example[chosen]]
    table = pd.DataFrame(
        {
            "left": ids[both.pairs.left],
            "right": ids[both.pairs.right],
            "same_class": np.arange(len(both.pairs)) < len(same.pairs),
            "distance": both.distance,
        }
    )
    for column, measure in enumerate(_MEASURES):
        table[measure] = both.density[:, column]
    return table


def _value(ratios: DensityRatios, name: str, column: int) -> float:
    kind = name.rpartition("_")[2]
    values = {"same": ratios.same_density, "different": ratios.different_density, "ratio": ratios.matched}
    return float(values[kind][column])


def _mean(shuffled: list[DensityRatios], measure: str, column: int) -> float | None:
    values = np.array([_value(each, f"{measure}_ratio", column) for each in shuffled])
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
