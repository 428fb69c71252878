"""Rows scaled by factors, and the boundaries on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64, Int64

from polylens.analyses import Probed
from polylens.analyses._changes.factors import measure_changes, summarise
from polylens.analyses._changes.interventions import Intervention, chosen_rows
from polylens.errors import UsageError
from polylens.geometry import Part, record, segments_crossings
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import Blocks, mean_intervals, metric_name
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.scaling import Scaling

_SHOWN = ("flipped_bits", "changed_predictions", "output_angle")


def scaling_findings(
    analysis: Scaling, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Means over rows by factor, with intervals over examples."""
    intervention = Intervention(probed, rows, layers=analysis.layers)
    chosen = chosen_rows(rows, most=analysis.rows, generator=streams.generator("rows"))
    with progress.task("scaling activations", total=len(chosen), unit="rows") as task:
        measurements = measure_changes(
            intervention,
            chosen,
            factors=analysis.factors,
            draws=analysis.draws,
            streams=streams,
            advance=task.advance,
        )
    summary = summarise(
        measurements,
        blocks=Blocks.of(rows.origins.block[chosen]),
        resamples=analysis.resamples,
        streams=streams,
        shown=_SHOWN,
    )
    notes = [intervention.where]
    if intervention.output_is == "vector":
        notes.append("The output is no logits: its angle and its distance stand for predictions.")
    if intervention.why_proxy:
        notes.append(f"Flips are no boundaries between polytopes: {intervention.why_proxy}.")
    if summary.undefined:
        notes.append(f"{summary.undefined} angles are not defined, since a vector is zero.")
    numbers, tables = dict(summary.numbers), {"factors": summary.table}
    numbers["exact"] = Number(float(not intervention.why_proxy))
    if analysis.crossings and not intervention.why_proxy:
        exact = _crossings(analysis, intervention, rows, chosen, streams=streams, progress=progress)
        if isinstance(exact, str):
            notes.append(exact)
        else:
            tables["crossings"], counted = exact
            numbers |= counted
    return Findings(numbers=numbers, tables=tables, notes=tuple(notes))


def _crossings(
    analysis: Scaling,
    intervention: Intervention,
    rows: Rows,
    chosen: Int64[np.ndarray, "chosen"],
    *,
    streams: Streams,
    progress: Progress,
) -> tuple[pd.DataFrame, dict[str, Number]] | str:
    """Boundaries between each of some rows and itself scaled; or why they cannot be counted."""
    some = chosen
    if len(chosen) > analysis.crossings:
        drawn = streams.generator("crossings").choice(chosen, size=analysis.crossings, replace=False)
        some = np.sort(drawn)
    inputs = intervention.inputs_of(int(some[0]))
    try:
        part = record(intervention.module, inputs).part(intervention.layer)
    except UsageError as error:
        return f"Boundaries along the way are not counted: {error}."
    low, high = min(1.0, *analysis.factors), max(1.0, *analysis.factors)
    if low == high:
        return "Boundaries along the way are not counted: there is no way to scale along."
    counts = _count(analysis, intervention, part, some, ends=(low, high), progress=progress)
    means, intervals, _ = mean_intervals(
        counts,
        blocks=Blocks.of(rows.origins.block[some]),
        resamples=analysis.resamples,
        streams=streams.child("crossings"),
    )
    table = pd.DataFrame(
        {
            "factor": analysis.factors,
            "boundaries": means,
            "low": [np.nan if each.low is None else each.low for each in intervals],
            "high": [np.nan if each.high is None else each.high for each in intervals],
        }
    )
    numbers = {
        metric_name("boundaries", f"x{factor:g}"): Number(
            float(mean), interval.low, interval.high, interval.meaning, unit="crossings"
        )
        for factor, mean, interval in zip(analysis.factors, means, intervals, strict=True)
    }
    return table, numbers


def _count(
    analysis: Scaling,
    intervention: Intervention,
    part: Part,
    some: Int64[np.ndarray, "some"],
    *,
    ends: tuple[float, float],
    progress: Progress,
) -> Float64[np.ndarray, "some factors"]:
    """How many boundaries lie between each row and itself scaled by each factor.

    Args:
        analysis: with the factors.
        intervention: gives the layer's tensor of a row, and scales it.
        part: of the network, from the layer to the output.
        some: the rows.
        ends: the least and the greatest factor, between which each row is walked once.
        progress: where counting shows itself.
    """
    low, high = ends
    counts = np.zeros((len(some), len(analysis.factors)))
    with progress.task("counting boundaries", total=len(some), unit="rows") as task:
        wholes = [intervention.whole(row) for row in some.tolist()]
        tensors = [
            torch.stack(
                [
                    intervention.scale(whole, row=row, factor=factor)
                    for whole, row in zip(wholes, some.tolist(), strict=True)
                ]
            )
            for factor in ends
        ]
        walks = segments_crossings(part, *tensors, vertices=intervention.vertices)
        for index, crossed in enumerate(walks):
            at = low + crossed.position * (high - low)
            for column, factor in enumerate(analysis.factors):
                counts[index, column] = ((at > min(1.0, factor)) & (at < max(1.0, factor))).sum()
            task.advance()
    return counts
