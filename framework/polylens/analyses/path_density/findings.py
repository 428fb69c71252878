"""Boundaries along paths, and around the switches of the prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Float64

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.analyses._pairs import SIDES, Side, ratios, walks
from polylens.analyses._pairs.exactness import exactness, why_sampled
from polylens.analyses._pairs.walks import WalkedPairs
from polylens.analyses.path_density import profiles
from polylens.analyses.path_density.profiles import Around
from polylens.errors import DataError
from polylens.geometry import Part
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import Blocks, Pairs, PathCrossings, bootstrap_interval, common_bins, metric_name
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.path_density import PathDensity


def path_density_findings(
    analysis: PathDensity, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Density around switches, along the whole path, and between classes over within."""
    part = probing.record_part(probed, through="output")
    points = probing.whole_tensors(rows, part, kind=analysis.kind())
    drawn = ratios.draw_pairs(rows, points, count=analysis.pairs, streams=streams)
    walked = _walk(analysis, part, points, drawn.pairs, progress)
    lost = sum(len(drawn.pairs[side]) - len(walked[side].paths) for side in SIDES)
    units = walks.units_of(part)
    layers = tuple(item.name for item in part.nonlinearities)
    measured = {side: pairs.measure(units) for side, pairs in walked.items()}
    findings = ratios.ratio_findings(
        rows,
        measured,
        layers=layers,
        measure="crossed_share",
        bins=analysis.bins,
        resamples=analysis.resamples,
        streams=streams,
        progress=progress,
    )
    weights = _resample(analysis, walked, Blocks.of(rows.origins.block), streams)
    crossings = {side: profiles.crossings_of(walked[side], units) for side in SIDES}
    around = _around(analysis, walked, crossings, weights, streams=streams, progress=progress)
    along = profiles.along_table(
        crossings,
        layers,
        bins=common_bins(measured["same"].distance, measured["different"].distance, bins=analysis.bins),
        pieces=analysis.pieces,
        weights=weights,
        progress=progress,
    )
    n_switches = [len(path.switches) for side in SIDES for path in walked[side].paths]
    return Findings(
        numbers={
            **_switch_numbers(analysis, around, layers),
            **_counts(walked, weights),
            **findings.numbers,
            "exact": exactness(part),
            "zero_distance_pairs": Number(float(drawn.n_equal), unit="pairs"),
            "pairs_without_path": Number(float(lost), unit="pairs"),
        },
        tables={
            "around_switches": profiles.around_table(around, layers),
            "along_paths": along,
            **findings.tables,
            "pairs": findings.tables["pairs"].assign(switches=np.array(n_switches, dtype=np.int64)),
        },
        notes=(
            *drawn.notes,
            *why_sampled(part),
            *([f"{lost} pairs lie opposite each other or hold the origin: no great circle."] if lost else []),
            *findings.notes,
            *(
                f"The prediction switches on no {side}-class path: no ratio there."
                for side in SIDES
                if side not in around
            ),
        ),
    )


def _walk(
    analysis: PathDensity,
    part: Part,
    points: Float32[np.ndarray, "rows ..."],
    pairs: Mapping[Side, Pairs],
    progress: Progress,
) -> dict[Side, WalkedPairs]:
    """The paths of both sides, with the switches of the prediction.

    Raises:
        DataError: no path of one side can be laid.
    """
    walker = walks.Walker(
        part,
        points,
        analysis.vertices,
        switches=True,
        progress=progress,
        route=analysis.path,
        chords=analysis.chords,
    )
    walked = {side: walker.walk(pairs[side], side) for side in SIDES}
    if not all(each.paths for each in walked.values()):
        raise DataError("no pair of one kind has a path between its ends", hint="use path: straight")
    return walked


def _resample(
    analysis: PathDensity, walked: Mapping[Side, WalkedPairs], blocks: Blocks, streams: Streams
) -> dict[Side, list[Float64[np.ndarray, "_"]]]:
    """How often each path counts on each resample of the examples."""
    times = [
        blocks.multiplicities(streams.generator("resample", number))[blocks.block]
        for number in range(analysis.resamples)
    ]
    return {side: [walked[side].pairs.weights(each) for each in times] for side in SIDES}


def _around(
    analysis: PathDensity,
    walked: Mapping[Side, WalkedPairs],
    crossings: Mapping[Side, PathCrossings],
    weights: Mapping[Side, list[Float64[np.ndarray, "_"]]],
    *,
    streams: Streams,
    progress: Progress,
) -> dict[Side, Around]:
    """How dense boundaries are around switches; a side on which nothing switches is left out."""
    around: dict[Side, Around] = {}
    with progress.task("exchanging switches", total=2, unit="kinds") as task:
        for side in SIDES:
            each = profiles.around_switches(
                crossings[side],
                profiles.switches_of(walked[side]),
                near=analysis.near,
                pieces=analysis.around,
                weights=weights[side],
                exchanges=analysis.resamples,
                streams=streams.child(side),
            )
            if each is not None:
                around[side] = each
            task.advance()
    return around


def _switch_numbers(
    analysis: PathDensity, around: Mapping[Side, Around], layers: tuple[str, ...]
) -> dict[str, Number]:
    numbers: dict[str, Number] = {}
    order: tuple[Side, ...] = ("different", "same")
    for side in order:
        if side not in around:
            continue
        each, middle = around[side], analysis.around
        for column, suffix in [(-1, ()), *((column, (layer,)) for column, layer in enumerate(layers))]:
            value = float(each.relative[column, middle])
            if not np.isfinite(value):
                continue
            interval = bootstrap_interval(each.resampled[:, column, middle].tolist())
            chance = each.exchanged[:, column, middle]
            name = "switch_ratio" if side == "different" else "switch_ratio_same"
            numbers[metric_name(name, *suffix)] = Number(
                value,
                interval.low,
                interval.high,
                interval.meaning,
                chance=float(np.nanmean(chance)) if np.isfinite(chance).any() else None,
                chance_is=f"mean of {len(chance)} exchanges of switches between paths"
                if np.isfinite(chance).any()
                else "",
            )
    return numbers


def _counts(
    walked: Mapping[Side, WalkedPairs], weights: Mapping[Side, list[Float64[np.ndarray, "_"]]]
) -> dict[str, Number]:
    """The share of paths on which the prediction switches, and how often on average."""
    numbers: dict[str, Number] = {}
    for side, each in walked.items():
        switches = np.array([len(path.switches) for path in each.paths], dtype=np.float64)
        for name, values in (("switching_share", switches > 0), ("switches_per_path", switches)):
            interval = bootstrap_interval(
                float(np.average(values, weights=weight)) if weight.any() else None
                for weight in weights[side]
            )
            numbers[f"{name}_{side}"] = Number(
                float(values.mean()), interval.low, interval.high, interval.meaning
            )
    return numbers
