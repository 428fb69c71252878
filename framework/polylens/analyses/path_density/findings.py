"""Boundaries along paths, and around the switches of the prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.analyses._pairs import ratios, walks
from polylens.analyses._pairs.exactness import exactness
from polylens.analyses._pairs.ratios import Kind
from polylens.analyses._pairs.walks import Walked
from polylens.analyses.path_density import profiles
from polylens.analyses.path_density.profiles import Around
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import Blocks, bootstrap_interval, common_bins, metric_name
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.path_density import PathDensity


def path_density_findings(
    analysis: PathDensity, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Density around switches, along the whole path, and between classes over within."""
    part = probing.record_part(probed, through="output")
    points = probing.whole_tensors(rows, part, kind=analysis.kind())
    notes: list[str] = []
    drawn = ratios.draw_pairs(ratios.classes_of(rows), count=analysis.pairs, streams=streams, notes=notes)
    pairs, _ = ratios.pairs_apart(drawn, points, notes=notes)
    exact, units = exactness(part, notes), walks.units_of(part)
    walked: dict[Kind, Walked] = {
        kind: walks.walk_pairs(
            part,
            points,
            pairs[kind],
            route=analysis.path,
            chords=analysis.chords,
            vertices=analysis.vertices,
            switches=True,
            kind=kind,
            progress=progress,
        )
        for kind in ratios.KINDS
    }
    lost = sum(len(pairs[kind]) - len(walked[kind].paths) for kind in ratios.KINDS)
    if lost:
        notes.append(f"{lost} pairs lie opposite each other or hold the origin: no great circle.")
    if not all(each.paths for each in walked.values()):
        raise DataError("no pair of one kind has a path between its ends", hint="use path: straight")
    layers = tuple(item.name for item in part.nonlinearities)
    measured = {kind: walked[kind].measure(units) for kind in ratios.KINDS}
    found = ratios.ratio_findings(
        rows,
        measured["same"],
        measured["different"],
        layers=layers,
        measure="crossed_share",
        bins=analysis.bins,
        resamples=analysis.resamples,
        streams=streams,
        progress=progress,
        notes=notes,
    )
    blocks = Blocks.of(rows.origins.block)
    times = [
        blocks.multiplicities(streams.generator("resample", number))[blocks.block]
        for number in range(analysis.resamples)
    ]
    weights = {kind: [walked[kind].pairs.weights(each) for each in times] for kind in ratios.KINDS}
    crossings = {kind: profiles.crossings_of(walked[kind], units) for kind in ratios.KINDS}
    around: dict[Kind, Around] = {}
    with progress.task("exchanging switches", total=2, unit="kinds") as task:
        for kind in ratios.KINDS:
            each = profiles.around_switches(
                crossings[kind],
                profiles.switches_of(walked[kind]),
                near=analysis.near,
                pieces=analysis.around,
                weights=weights[kind],
                exchanges=analysis.resamples,
                streams=streams.child(kind),
            )
            if each is None:
                notes.append(f"The prediction switches on no {kind}-class path: no ratio there.")
            else:
                around[kind] = each
            task.advance()
    along = profiles.along_table(
        crossings,
        layers,
        bins=common_bins(measured["same"].distance, measured["different"].distance, bins=analysis.bins),
        pieces=analysis.pieces,
        weights=weights,
        progress=progress,
    )
    n_switches = [len(path.switches) for kind in ratios.KINDS for path in walked[kind].paths]
    return Findings(
        numbers={
            **_switch_numbers(analysis, around, layers),
            **_counts(walked, weights),
            **found.numbers,
            "exact": exact,
            "zero_distance_pairs": Number(float(ratios.n_pairs(drawn) - ratios.n_pairs(pairs)), unit="pairs"),
            "pairs_without_path": Number(float(lost), unit="pairs"),
        },
        tables={
            "around_switches": profiles.around_table(around, layers),
            "along_paths": along,
            **found.tables,
            "pairs": found.tables["pairs"].assign(switches=np.array(n_switches, dtype=np.int64)),
        },
        notes=tuple(notes),
    )


def _switch_numbers(
    analysis: PathDensity, around: Mapping[Kind, Around], layers: tuple[str, ...]
) -> dict[str, Number]:
    numbers: dict[str, Number] = {}
    order: tuple[Kind, ...] = ("different", "same")
    for kind in order:
        if kind not in around:
            continue
        each, middle = around[kind], analysis.around
        for place, suffix in [(-1, ()), *((place, (layer,)) for place, layer in enumerate(layers))]:
            value = float(each.relative[place, middle])
            if not np.isfinite(value):
                continue
            interval = bootstrap_interval(each.resampled[:, place, middle].tolist())
            chance = each.exchanged[:, place, middle]
            name = "switch_ratio" if kind == "different" else "switch_ratio_same"
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
    walked: Mapping[Kind, Walked], weights: Mapping[Kind, list[Float64[np.ndarray, "_"]]]
) -> dict[str, Number]:
    """The share of paths on which the prediction switches, and how often on average."""
    numbers: dict[str, Number] = {}
    for kind, each in walked.items():
        switches = np.array([len(path.switches) for path in each.paths], dtype=np.float64)
        for name, values in (("switching_share", switches > 0), ("switches_per_path", switches)):
            interval = bootstrap_interval(
                float(np.average(values, weights=weight)) if weight.any() else None
                for weight in weights[kind]
            )
            numbers[f"{name}_{kind}"] = Number(
                float(values.mean()), interval.low, interval.high, interval.meaning
            )
    return numbers
