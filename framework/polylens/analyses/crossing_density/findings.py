"""Exact crossings of pairs, beside what the two ends show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.analyses._pairs import ratios, walks
from polylens.analyses._pairs.exactness import exactness
from polylens.analyses._pairs.ratios import KINDS, Kind
from polylens.analyses._pairs.walks import Walked
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import Blocks, MeasuredPairs, bootstrap_interval, metric_name
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.crossing_density import CrossingDensity


def crossing_density_findings(
    analysis: CrossingDensity, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """The ratios, of all layers and of each alone, beside what the ends show."""
    part = probing.record_part(probed, through=analysis.through)
    points = probing.whole_tensors(rows, part, kind=analysis.kind())
    notes: list[str] = []
    drawn = ratios.draw_pairs(ratios.classes_of(rows), count=analysis.pairs, streams=streams, notes=notes)
    pairs, _ = ratios.pairs_apart(drawn, points, notes=notes)
    exact, units = exactness(part, notes), walks.units_of(part)
    walked: dict[Kind, Walked] = {}
    measured: dict[Kind, MeasuredPairs] = {}
    for kind in ratios.KINDS:
        walked[kind] = walks.walk_pairs(
            part,
            points,
            pairs[kind],
            vertices=analysis.vertices,
            switches=False,
            kind=kind,
            progress=progress,
        )
        measured[kind] = walked[kind].measure(units)
    layers = tuple(item.name for item in part.nonlinearities)
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
    numbers = {
        **found.numbers,
        **_totals(analysis, walked, rows, layers, streams),
        "exact": exact,
        "zero_distance_pairs": Number(float(ratios.n_pairs(drawn) - ratios.n_pairs(pairs)), unit="pairs"),
    }
    return replace(found, numbers=numbers, notes=tuple(notes))


def _totals(
    analysis: CrossingDensity,
    walked: Mapping[Kind, Walked],
    rows: Rows,
    layers: tuple[str, ...],
    streams: Streams,
) -> dict[str, Number]:
    """Crossings per unit length, and the share of crossings that the two ends show, over all pairs."""
    blocks = Blocks.of(rows.origins.block)
    times = [
        blocks.multiplicities(streams.generator("resample", number))[blocks.block]
        for number in range(analysis.resamples)
    ]
    crossed = {kind: walked[kind].crossings(len(layers)) for kind in KINDS}
    shown = {kind: np.array([path.differing for path in walked[kind].paths]) for kind in KINDS}
    lengths = {kind: np.array([path.length for path in walked[kind].paths]) for kind in KINDS}
    weights = {kind: [walked[kind].pairs.weights(each) for each in times] for kind in KINDS}
    numbers: dict[str, Number] = {}

    def add(name: str, above: list[np.ndarray], below: list[np.ndarray], kinds: list[Kind]) -> None:
        def ratio(weight: Mapping[Kind, Float64[np.ndarray, "_"]]) -> float:
            pieces = list(zip(kinds, above, below, strict=True))
            bottom = sum(float(weight[kind] @ values) for kind, _, values in pieces)
            top = sum(float(weight[kind] @ values) for kind, values, _ in pieces)
            return top / bottom if bottom > 0 else float("nan")

        value = ratio({kind: np.ones(len(walked[kind].paths)) for kind in kinds})
        if np.isfinite(value):
            found = bootstrap_interval(
                ratio({kind: weights[kind][number] for kind in kinds}) for number in range(analysis.resamples)
            )
            numbers[name] = Number(value, found.low, found.high, found.meaning)

    for kind in KINDS:
        add(f"crossings_per_length_{kind}", [crossed[kind].sum(1)], [lengths[kind]], [kind])
    both = list(KINDS)
    add(
        "endpoint_share",
        [shown[kind].sum(1) for kind in both],
        [crossed[kind].sum(1) for kind in both],
        both,
    )
    for place, layer in enumerate(layers):
        add(
            metric_name("endpoint_share", layer),
            [shown[kind][:, place] for kind in both],
            [crossed[kind][:, place] for kind in both],
            both,
        )
    return numbers
