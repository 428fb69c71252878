"""A whole layer scaled, with and without norms and biases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from polylens.analyses import Probed
from polylens.analyses._changes.factors import Measurements, measure_changes, summarise
from polylens.analyses._changes.interventions import Intervention, chosen_rows
from polylens.dataflow import norms
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import Blocks, metric_name
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.rescaling import Rescaling


def rescaling_findings(
    analysis: Rescaling, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Means over rows by factor and case, with intervals over examples."""
    chosen = chosen_rows(rows, most=analysis.rows, generator=streams.generator("rows"))
    blocks = Blocks.of(rows.origins.block[chosen])
    has_norms = bool(norms(probed.network.module))
    cases = [
        (norm, biases)
        for biases in (True, False)
        for norm in (("live", "frozen") if has_norms else ("live",))
    ]
    tables: list[pd.DataFrame] = []
    notes: list[str] = []
    numbers: dict[str, Number] = {}
    with progress.task("rescaling", total=len(chosen) * len(cases), unit="rows") as task:
        for norm, biases in cases:
            intervention = Intervention(
                probed,
                rows,
                everywhere=analysis.at == "everywhere",
                biases=biases,
                holds_norms=norm == "frozen",
            )
            measurements = measure_changes(
                intervention,
                chosen,
                factors=analysis.factors,
                draws=analysis.draws,
                streams=streams,
                advance=task.advance,
            )
            case = (norm, "with_biases" if biases else "without_biases")
            summary = summarise(
                measurements, blocks=blocks, resamples=analysis.resamples, streams=streams, shown=()
            )
            table = summary.table.copy()
            table.insert(0, "biases", biases)
            table.insert(0, "norms", norm)
            tables.append(table)
            numbers |= _numbers(
                measurements, case, blocks=blocks, resamples=analysis.resamples, streams=streams
            )
            if not notes:
                notes.append(intervention.where)
                if intervention.why_proxy:
                    notes.append(f"Flips are no boundaries between polytopes: {intervention.why_proxy}.")
    if not has_norms:
        notes.append("The network has no layer norms or root-mean-square norms to hold.")
    return Findings(
        numbers=numbers, tables={"factors": pd.concat(tables, ignore_index=True)}, notes=tuple(notes)
    )


def _numbers(
    measurements: Measurements, case: tuple[str, str], *, blocks: Blocks, resamples: int, streams: Streams
) -> dict[str, Number]:
    """The share of units that flip by scaling and by displacing, and the most that flip of one row."""
    numbers = {
        metric_name(name, *case): measurements.overall(
            "flipped_share", change, blocks=blocks, resamples=resamples, streams=streams
        )
        for change, name in (("scaled", "flipped_share"), ("displaced", "displaced_flipped_share"))
    }
    most = float(measurements.values["flipped_bits", ""][0].max())
    return numbers | {metric_name("most_flipped_bits", *case): Number(most, unit="units")}
