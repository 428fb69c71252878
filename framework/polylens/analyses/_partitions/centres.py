"""What kmeans and bisecting_kmeans have in common: one clustering, and those of subsamples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from polylens.progress import Progress
from polylens.records import Alternative, Findings, Number, Partition, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.clustering import Points


class Cluster(Protocol):
    """One clustering of points."""

    def __call__(self, points: Points, *, streams: Streams, exemplars: bool) -> Partition:
        """The partition, with medoids where `exemplars` asks for them."""


def metric_between(rows: Rows, *, on: Literal["activation", "code"]) -> Literal["euclidean", "hamming"]:
    """What rows around centres are apart by: bits by Hamming distance, numbers by Euclidean."""
    is_bits = on == "code" and rows.codes is not None and not rows.codes.scheme.is_graded
    return "hamming" if is_bits else "euclidean"


def check_scale(on: Literal["activation", "code"], scale: str) -> None:
    """Refuses a scale for codes.

    Raises:
        ValueError: they have none.
    """
    if on == "code" and scale != "none":
        raise ValueError("'scale' is for activations; codes have none")


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
    from dataclasses import replace

    from polylens.analyses._partitions.pictures import cluster_table
    from polylens.analyses._partitions.stability import common_subsamples, left_out_notes, stability
    from polylens.clustering import row_points
    from polylens.errors import DataError
    from polylens.statistics import stability_range

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
