"""Exact crossings of pairs, beside what the two ends show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.analyses._pairs import SIDES, Side, ratios, walks
from polylens.analyses._pairs.exactness import exactness, why_sampled
from polylens.analyses._pairs.walks import WalkedPairs
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import Blocks, bootstrap_interval, metric_name
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.crossing_density import CrossingDensity


def crossing_density_findings(
    analysis: CrossingDensity, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """The ratios, of all layers and of each alone, beside what the ends show."""
    part = probing.record_part(probed, through=analysis.through)
    points = probing.whole_tensors(rows, part, kind=analysis.kind())
    drawn = ratios.draw_pairs(rows, points, count=analysis.pairs, streams=streams)
    walker = walks.Walker(part, points, analysis.vertices, switches=False, progress=progress)
    walked = {side: walker.walk(drawn.pairs[side], side) for side in SIDES}
    units = walks.units_of(part)
    layers = tuple(item.name for item in part.nonlinearities)
    findings = ratios.ratio_findings(
        rows,
        {side: pairs.measure(units) for side, pairs in walked.items()},
        layers=layers,
        measure="crossed_share",
        bins=analysis.bins,
        resamples=analysis.resamples,
        streams=streams,
        progress=progress,
    )
    numbers = {
        **findings.numbers,
        **_totals(analysis, walked, rows, layers, streams),
        "exact": exactness(part),
        "zero_distance_pairs": Number(float(drawn.n_equal), unit="pairs"),
    }
    return replace(findings, numbers=numbers, notes=(*drawn.notes, *why_sampled(part), *findings.notes))


def _totals(
    analysis: CrossingDensity,
    walked: Mapping[Side, WalkedPairs],
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
    crossed = {side: walked[side].crossings(len(layers)) for side in SIDES}
    shown = {side: np.array([path.differing for path in walked[side].paths]) for side in SIDES}
    lengths = {side: np.array([path.length for path in walked[side].paths]) for side in SIDES}
    weights = {side: [walked[side].pairs.weights(each) for each in times] for side in SIDES}
    numbers: dict[str, Number] = {}

    def add(name: str, above: list[np.ndarray], below: list[np.ndarray], sides: Sequence[Side]) -> None:
        def ratio(weight: Mapping[Side, Float64[np.ndarray, "_"]]) -> float:
            pieces = list(zip(sides, above, below, strict=True))
            bottom = sum(float(weight[side] @ values) for side, _, values in pieces)
            top = sum(float(weight[side] @ values) for side, values, _ in pieces)
            return top / bottom if bottom > 0 else float("nan")

        value = ratio({side: np.ones(len(walked[side].paths)) for side in sides})
        if np.isfinite(value):
            interval = bootstrap_interval(
                ratio({side: weights[side][number] for side in sides}) for number in range(analysis.resamples)
            )
            numbers[name] = Number(value, interval.low, interval.high, interval.meaning)

    for side in SIDES:
        add(f"crossings_per_length_{side}", [crossed[side].sum(1)], [lengths[side]], [side])
    add(
        "endpoint_share",
        [shown[side].sum(1) for side in SIDES],
        [crossed[side].sum(1) for side in SIDES],
        SIDES,
    )
    for column, layer in enumerate(layers):
        add(
            metric_name("endpoint_share", layer),
            [shown[side][:, column] for side in SIDES],
            [crossed[side][:, column] for side in SIDES],
            SIDES,
        )
    return numbers
