"""What analyses of densities between and within classes have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from polylens.analyses._pairs import SIDES, Side
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import (
    LEAST_OVERLAP,
    Blocks,
    DensityRatios,
    DistanceBins,
    MeasuredPairs,
    Pairs,
    class_pairs,
    common_bins,
    density_ratios,
    ratio_numbers,
    ratio_table,
    relative_density,
    resampled_ratios,
    segment_lengths,
    shuffled_ratios,
)
from polylens.streams import Streams


@dataclass(frozen=True, eq=False)
class DistinctPairs:
    """Pairs of different points, drawn by side."""

    pairs: dict[Side, Pairs]
    lengths: dict[Side, Float64[np.ndarray, "_"]]
    """Distance of the two points of each pair; never zero."""
    n_equal: int
    """Drawn pairs of equal points, which are left out."""
    notes: tuple[str, ...]
    """What a reader must know of the draw."""


def classes_of(rows: Rows) -> Int64[np.ndarray, "rows"]:
    """The class of each row.

    Raises:
        DataError: the rows have no classes.
    """
    if rows.targets is None:
        raise DataError("these rows have no classes, so there are no same-class pairs")
    return np.asarray(rows.targets)


def draw_pairs(
    rows: Rows, points: Float32[np.ndarray, "rows ..."], *, count: int, streams: Streams
) -> DistinctPairs:
    """Equal numbers of pairs of either side, without those of equal points.

    Args:
        rows: whose classes say on which side a pair is.
        points: of the rows; distances are between these.
        count: pairs of either side; all where there are fewer.
        streams: of the draws.

    Raises:
        DataError: the rows have no classes, one side has no pair, or its pairs are all of equal points.
    """
    targets, notes = classes_of(rows), []
    pairs: dict[Side, Pairs] = {}
    lengths: dict[Side, Float64[np.ndarray, "_"]] = {}
    n_equal = 0
    for side in SIDES:
        drawn = class_pairs(
            targets, same=side == "same", count=count, generator=streams.generator("pairs", side)
        )
        if not len(drawn):
            raise DataError(
                f"there is no pair of {'one class' if side == 'same' else 'two classes'}",
                hint="use more examples: each class needs two at least, and there must be two classes",
            )
        if len(drawn) < count:
            notes.append(f"Only {len(drawn)} {side}-class pairs exist; all were taken.")
        distance = segment_lengths(points, pairs=drawn)
        apart = distance > 0
        pairs[side], lengths[side] = Pairs(drawn.left[apart], drawn.right[apart]), distance[apart]
        n_equal += int((~apart).sum())
    if n_equal:
        notes.append(f"{n_equal} pairs of equal points (distance zero) were left out.")
    if not all(len(each) for each in pairs.values()):
        raise DataError("all pairs of one kind are of equal points: there is no density")
    return DistinctPairs(pairs, lengths, n_equal, tuple(notes))


def why_not_matched(bins: DistanceBins | None) -> tuple[str, ...]:
    """A sentence where the pairs of the two sides are not compared at equal distance; none where they are."""
    if bins is None:
        return ("The two kinds of pairs have no distance in common: nothing can be matched.",)
    if not bins.can_match:
        return (
            f"The distances of the two kinds of pairs overlap by {bins.overlap():.2g}, less than "
            f"{LEAST_OVERLAP:g}: too few can be compared at equal distance, and no ratio is matched.",
        )
    return ()


def ratio_findings(
    rows: Rows,
    pairs: Mapping[Side, MeasuredPairs],
    *,
    layers: Sequence[str],
    measure: str,
    bins: int,
    resamples: int,
    streams: Streams,
    progress: Progress,
) -> Findings:
    """The ratios, of all layers and of each alone, with intervals over examples and chance levels.

    Args:
        rows: the pairs' ends.
        pairs: of both sides; the last measure is of all layers. No distance is zero.
        layers: the names of all measures but the last.
        measure: what is divided by the distance, as a column of tables.
        bins: equal bins of the range of distances that the pairs of both sides reach.
        resamples: of the examples, and as many shuffles of the classes.
        streams: all randomness.
        progress: where resampling shows itself.
    """
    same, different = pairs["same"], pairs["different"]
    shared = common_bins(same.distance, different.distance, bins=bins)
    observed = density_ratios(same, different, bins=shared)
    resampled, shuffled = _draw_again(
        rows, pairs, shared=shared, bins=bins, resamples=resamples, streams=streams, progress=progress
    )
    numbers = ratio_numbers(observed, layers=layers, resampled=resampled, shuffled=shuffled)
    numbers["pairs_same"] = Number(float(len(same.pairs)), unit="pairs")
    numbers["pairs_different"] = Number(float(len(different.pairs)), unit="pairs")
    notes = why_not_matched(shared)
    undefined = [layer for layer, value in zip(layers, observed.same_values, strict=False) if not value]
    if undefined:
        notes = (*notes, f"No same-class pair differs in {', '.join(undefined)}: no ratio there.")
    return Findings(
        numbers=numbers,
        tables={
            "ratios": ratio_table(observed, layers=layers, resampled=resampled, shuffled=shuffled),
            "classes": _class_table(rows, same, different, measure=measure, bins=bins),
            "pairs": _pair_table(rows, same, different, measure=measure),
        },
        notes=notes,
    )


def _draw_again(
    rows: Rows,
    pairs: Mapping[Side, MeasuredPairs],
    *,
    shared: DistanceBins | None,
    bins: int,
    resamples: int,
    streams: Streams,
    progress: Progress,
) -> tuple[list[DensityRatios], list[DensityRatios]]:
    """The ratios on resamples of the examples, and those with classes shuffled over examples."""
    same, different = pairs["same"], pairs["different"]
    targets, blocks = classes_of(rows), Blocks.of(rows.origins.block)
    resampled, shuffled = [], []
    with progress.task("resampling pairs", total=2 * resamples, unit="resamples") as task:
        for ratios in resampled_ratios(
            same, different, bins=shared, blocks=blocks, resamples=resamples, streams=streams
        ):
            resampled.append(ratios)
            task.advance()
        for ratios in shuffled_ratios(
            same,
            different,
            classes=targets[blocks.first],
            blocks=blocks,
            n_bins=bins,
            permutations=resamples,
            streams=streams,
        ):
            shuffled.append(ratios)
            task.advance()
    return resampled, shuffled


def _class_table(
    rows: Rows, same: MeasuredPairs, different: MeasuredPairs, *, measure: str, bins: int
) -> pd.DataFrame:
    """One line for each two classes (or each one): means over their pairs, all layers pooled."""
    shared = common_bins(same.distance, different.distance, bins=bins)
    relative = np.full(len(same.pairs) + len(different.pairs), np.nan)
    if shared is not None and shared.can_match:
        relative = np.concatenate(relative_density(shared, same.measure[:, -1], different.measure[:, -1]))
    both = same.join(different)
    ends = np.asarray(rows.targets)[np.stack([both.pairs.left, both.pairs.right])]
    table = pd.DataFrame(
        {
            "first": ends.min(0),
            "second": ends.max(0),
            "pairs": 1,
            "distance": both.distance,
            measure: both.values[:, -1],
            "density": both.measure[:, -1],
            "relative_density": relative,
        }
    )
    means = table.groupby(["first", "second"], as_index=False).agg(
        {"pairs": "sum"} | dict.fromkeys(table.columns[3:], "mean")
    )
    for column, end in (("class_a", "first"), ("class_b", "second")):
        means.insert(0 if end == "first" else 1, column, [rows.classes[index] for index in means[end]])
    return means.drop(columns=["first", "second"])


def _pair_table(rows: Rows, same: MeasuredPairs, different: MeasuredPairs, *, measure: str) -> pd.DataFrame:
    """One line a pair: its examples, its distance and what is measured, all layers pooled."""
    both, ids = same.join(different), np.array(rows.origins.example_ids, dtype=object)
    return pd.DataFrame(
        {
            "left": ids[rows.origins.example[both.pairs.left]],
            "right": ids[rows.origins.example[both.pairs.right]],
            "same_class": np.arange(len(both.pairs)) < len(same.pairs),
            "distance": both.distance,
            measure: both.values[:, -1],
        }
    )
