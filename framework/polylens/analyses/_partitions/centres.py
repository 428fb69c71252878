"""The findings of clusters around centres: one clustering, and those of subsamples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from polylens.analyses._partitions.stability import common_subsamples, left_out_notes, stability
from polylens.analyses._partitions.tables import cluster_table
from polylens.clustering import row_values
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Alternative, Findings, Number, Rows
from polylens.statistics import stability_range
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses._partitions.around_centres import AroundCentres


def centre_findings(analysis: AroundCentres, rows: Rows, *, streams: Streams, progress: Progress) -> Findings:
    """The partition, with those of subsamples of the examples as its alternatives."""
    points = row_values(rows, on=analysis.on, scale=analysis.scale)
    drawn = common_subsamples(rows, count=analysis.subsamples, streams=streams)
    alternatives: list[Alternative] = []
    strengths: list[float] = []
    notes = list(left_out_notes(drawn, count=analysis.subsamples, at_least=2))
    with progress.task("clustering", total=1 + len(drawn), unit="clusterings") as task:
        partition = analysis.cluster(points, streams=streams, exemplars=True, progress=progress)
        task.advance()
        for number, chosen in drawn.items():
            try:
                starts = streams.child("subsample", number)
                part = analysis.cluster(
                    points.take(chosen), streams=starts, exemplars=False, progress=progress
                )
            except DataError as error:
                notes.append(f"Subsample {number} was left out: {error.message}.")
            else:
                alternatives.append(Alternative("subsample", number, chosen, part.labels))
                strengths.append(float(part.strength.mean()))
            task.advance()

    spread = stability_range(strengths)
    scaled = "" if analysis.scale == "none" else f", scale {analysis.scale}"
    return Findings(
        numbers={
            "clusters": Number(float(partition.n_clusters)),
            "coverage": Number(partition.coverage),
            "mean_strength": Number(
                float(partition.strength.mean()),
                spread.low,
                spread.high,
                spread.meaning,
                range_is=spread.range_is,
            ),
            **stability(partition, alternatives, example=rows.origins.block, streams=streams),
        },
        tables={"clusters": cluster_table(rows, partition)},
        partition=replace(
            partition,
            method=f"{partition.method} of {analysis.on}s{scaled}",
            space=analysis.on,
            alternatives=tuple(alternatives),
        ),
        notes=tuple(notes),
    )
