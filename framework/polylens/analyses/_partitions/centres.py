"""What kmeans and bisecting_kmeans have in common: one clustering, and those of subsamples."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Protocol

from polylens.analyses._partitions.stability import common_subsamples, left_out_notes, stability
from polylens.analyses._partitions.tables import cluster_table
from polylens.clustering import Points, row_points
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Alternative, Findings, Number, Partition, Rows
from polylens.statistics import stability_range
from polylens.streams import Streams


class Cluster(Protocol):
    """One clustering of points."""

    def __call__(self, points: Points, *, streams: Streams, exemplars: bool) -> Partition:
        """The partition, with medoids where `exemplars` asks for them."""


def centre_findings(
    cluster: Cluster,
    rows: Rows,
    *,
    on: Literal["activation", "code"],
    scale: Literal["none", "centre", "standardise"],
    subsamples: int,
    streams: Streams,
    progress: Progress,
) -> Findings:
    """The partition, with those of subsamples of the examples as its alternatives."""
    points = row_points(rows, on=on, scale=scale)
    drawn = common_subsamples(rows, count=subsamples, streams=streams)
    found: list[Alternative] = []
    strengths: list[float] = []
    notes = list(left_out_notes(drawn, count=subsamples, at_least=2))
    with progress.task("clustering", total=1 + len(drawn), unit="clusterings") as task:
        partition = cluster(points, streams=streams, exemplars=True)
        task.advance()
        for number, chosen in drawn.items():
            try:
                starts = streams.child("subsample", number)
                part = cluster(points[chosen], streams=starts, exemplars=False)
            except DataError as error:
                notes.append(f"Subsample {number} was left out: {error.message}.")
            else:
                found.append(Alternative("subsample", number, chosen, part.labels))
                strengths.append(float(part.strength.mean()))
            task.advance()

    spread = stability_range(strengths)
    scaled = "" if scale == "none" else f", scale {scale}"
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
            **stability(partition, found, example=rows.origins.block, streams=streams),
        },
        tables={"clusters": cluster_table(rows, partition)},
        partition=replace(
            partition,
            method=f"{partition.method} of {on}s{scaled}",
            space=on,
            alternatives=tuple(found),
        ),
        notes=tuple(notes),
    )
