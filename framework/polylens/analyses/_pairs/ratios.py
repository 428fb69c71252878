"""What analyses of densities between and within classes have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import (
    LEAST_OVERLAP,
    Blocks,
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

Kind = Literal["same", "different"]
"""Whether the two ends of a pair are of one class."""
KINDS: tuple[Kind, ...] = ("same", "different")


def classes_of(rows: Rows) -> Int64[np.ndarray, "rows"]:
    """The class of each row.

    Raises:
        DataError: the rows have no classes.
    """
    if rows.targets is None:
        raise DataError("these rows have no classes, so there are no same-class pairs")
    return np.asarray(rows.targets)


def draw_pairs(
    targets: Int64[np.ndarray, "rows"], *, count: int, streams: Streams, notes: list[str]
) -> dict[Kind, Pairs]:
    """Equal numbers of pairs of either kind; says where there are fewer than asked for.

    Raises:
        DataError: there is no pair of one kind.
    """
    pairs: dict[Kind, Pairs] = {}
    for kind in KINDS:
        drawn = class_pairs(
            targets, same=kind == "same", count=count, generator=streams.generator("pairs", kind)
        )
        if not len(drawn):
            raise DataError(
                f"there is no pair of {'one class' if kind == 'same' else 'two classes'}",
                hint="use more examples: each class needs two at least, and there must be two classes",
            )
        if len(drawn) < count:
            notes.append(f"Only {len(drawn)} {kind}-class pairs exist; all were taken.")
        pairs[kind] = drawn
    return pairs


def pairs_apart(
    pairs: dict[Kind, Pairs], points: Float32[np.ndarray, "rows ..."], *, notes: list[str]
) -> tuple[dict[Kind, Pairs], dict[Kind, Float64[np.ndarray, "_"]]]:
    """The pairs of different points, and their distances; says how many are left out.

    Raises:
        DataError: all pairs of one kind are of equal points.
    """
    kept: dict[Kind, Pairs] = {}
    lengths: dict[Kind, Float64[np.ndarray, "_"]] = {}
    for kind, drawn in pairs.items():
        distance = segment_lengths(points, pairs=drawn)
        apart = distance > 0
        kept[kind], lengths[kind] = Pairs(drawn.left[apart], drawn.right[apart]), distance[apart]
    dropped = n_pairs(pairs) - n_pairs(kept)
    if dropped:
        notes.append(f"{dropped} pairs of equal points (distance zero) were left out.")
    if not all(len(each) for each in kept.values()):
        raise DataError("all pairs of one kind are of equal points: there is no density")
    return kept, lengths


def why_not_matched(bins: DistanceBins | None) -> tuple[str, ...]:
    """A sentence where two kinds of pairs are not compared at equal distance; none where they are."""
    if bins is None:
        return ("The two kinds of pairs have no distance in common: nothing can be matched.",)
    if not bins.can_match:
        return (
            f"The distances of the two kinds of pairs overlap by {bins.overlap():.2g}, less than "
            f"{LEAST_OVERLAP:g}: too few can be compared at equal distance, and no ratio is matched.",
        )
    return ()


def n_pairs(pairs: dict[Kind, Pairs]) -> int:
    """How many pairs of both kinds there are."""
    return sum(len(each) for each in pairs.values())


def ratio_findings(
    rows: Rows,
    same: MeasuredPairs,
    different: MeasuredPairs,
    *,
    layers: Sequence[str],
    measure: str,
    bins: int,
    resamples: int,
    streams: Streams,
    progress: Progress,
    notes: list[str],
) -> Findings:
    """The ratios, of all layers and of each alone, with intervals over examples and chance levels.

    Args:
        rows: the pairs' ends.
        same: the same-class pairs; no distance is zero.
        different: the different-class pairs; no distance is zero.
        layers: the first measures' names; the last measure is of all layers.
        measure: what is divided by the distance, as a column of tables.
        bins: equal bins of the range of distances that both kinds of pairs reach.
        resamples: of the examples, and as many shuffles of the classes.
        streams: all randomness.
        progress: where resampling shows itself.
        notes: what a reader must know; more is added.
    """
    targets, blocks = classes_of(rows), Blocks.of(rows.origins.block)
    shared = common_bins(same.distance, different.distance, bins=bins)
    notes += why_not_matched(shared)
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

    observed = density_ratios(same, different, bins=shared)
    numbers = ratio_numbers(observed, layers=layers, resampled=resampled, shuffled=shuffled)
    numbers["pairs_same"] = Number(float(len(same.pairs)), unit="pairs")
    numbers["pairs_different"] = Number(float(len(different.pairs)), unit="pairs")
    undefined = [layer for layer, code in zip(layers, observed.same_code, strict=False) if not code]
    if undefined:
        notes.append(f"No same-class pair differs in {', '.join(undefined)}: no ratio there.")
    return Findings(
        numbers=numbers,
        tables={
            "ratios": ratio_table(observed, layers=layers, resampled=resampled, shuffled=shuffled),
            "classes": _class_table(rows, same, different, measure=measure, bins=bins),
            "pairs": _pair_table(rows, same, different, measure=measure),
        },
        notes=tuple(notes),
    )


def _class_table(
    rows: Rows, same: MeasuredPairs, different: MeasuredPairs, *, measure: str, bins: int
) -> pd.DataFrame:
    """One line for each two classes (or each one): means over their pairs, all layers pooled."""
    shared = common_bins(same.distance, different.distance, bins=bins)
    relative = np.full(len(same.pairs) + len(different.pairs), np.nan)
    if shared is not None and shared.can_match:
        relative = np.concatenate(relative_density(shared, same.density[:, -1], different.density[:, -1]))
    both = same.join(different)
    ends = np.asarray(rows.targets)[np.stack([both.pairs.left, both.pairs.right])]
    table = pd.DataFrame(
        {
            "first": ends.min(0),
            "second": ends.max(0),
            "pairs": 1,
            "distance": both.distance,
            measure: both.code[:, -1],
            "density": both.density[:, -1],
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
            measure: both.code[:, -1],
        }
    )
