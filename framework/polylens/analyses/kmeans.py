"""Clusters around centres: every row belongs to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from polylens.analyses import NETWORK, Analysis, Need, Outcomes
from polylens.progress import Progress
from polylens.records import Alternative, Figure, Findings, Number, Rows
from polylens.streams import Streams


class Kmeans(Analysis):
    """k-means clusters of activations, or of codes taken as -1 and +1: as many as are asked for."""

    headline: ClassVar[tuple[str, ...]] = ("clusters", "mean_strength")
    gives_partition: ClassVar[bool] = True

    on: Literal["activation", "code"]
    """What is clustered: the rows' activations, or the bits of their codes."""
    clusters: int = Field(ge=1)
    """How many clusters are made."""
    scale: Literal["none", "centre", "standardise"] = "none"
    """What is done to each column of the activations first: nothing, its mean taken off, or also its standard
    deviation made 1."""
    restarts: int = Field(default=10, ge=1)
    """Independent starts by k-means++; the one with the least summed squared distance is kept."""
    subsamples: int = Field(default=10, ge=0)
    """How many random 80 % of the examples are clustered again, for intervals."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.on == "code" and self.scale != "none":
            raise ValueError("'scale' is for activations; the bits of codes have none")
        return self

    def needs(self) -> frozenset[Need]:
        """Activations or codes, by `on`."""
        return frozenset({"activations"}) if self.on == "activation" else frozenset({"codes"})

    def run(
        self, rows: Rows, *, streams: Streams, upstream: Mapping[str, Findings], progress: Progress
    ) -> Findings:
        """The partition, with those of subsamples of the examples as its alternatives."""
        from dataclasses import replace

        from polylens.analyses._pictures import cluster_table
        from polylens.clustering import kmeans, row_points
        from polylens.errors import DataError
        from polylens.statistics import Blocks, subsample_interval, subsamples

        points = row_points(rows, on=self.on, scale=self.scale)
        drawn = subsamples(Blocks.of(rows.origins.example), count=self.subsamples, streams=streams)
        found: list[Alternative] = []
        strengths: list[float] = []
        notes: list[str] = []
        with progress.task("clustering", total=1 + len(drawn), unit="clusterings") as task:
            partition = kmeans(points, clusters=self.clusters, streams=streams, restarts=self.restarts)
            task.advance()
            for number, chosen in enumerate(drawn):
                again = streams.child("subsample", number)
                try:
                    part = kmeans(
                        points[chosen],
                        clusters=self.clusters,
                        streams=again,
                        restarts=self.restarts,
                        exemplars=False,
                    )
                except DataError as error:
                    notes.append(f"Subsample {number} was left out: {error.message}.")
                else:
                    found.append(Alternative("subsample", number, chosen, part.labels))
                    strengths.append(float(part.strength.mean()))
                task.advance()

        interval = subsample_interval(strengths)
        scaled = "" if self.scale == "none" else f", scale {self.scale}"
        return Findings(
            numbers={
                "clusters": Number(float(partition.n_clusters)),
                "coverage": Number(partition.coverage),
                "mean_strength": Number(
                    float(partition.strength.mean()), interval.low, interval.high, interval.meaning
                ),
            },
            tables={"clusters": cluster_table(rows, partition)},
            partition=replace(
                partition,
                method=f"{partition.method} of {self.on}s{scaled}",
                alternatives=tuple(found),
            ),
            notes=tuple(notes),
        )

    def on_inputs(self) -> Self:
        """The raw inputs, clustered alike."""
        return self.model_copy(update={"on": "activation"})

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Cluster sizes, a map of the rows, and the codes sorted by cluster, for the network."""
        from polylens.analyses._pictures import partition_pictures
        from polylens.clustering import row_points

        own = outcomes[NETWORK][0]
        return partition_pictures(own, row_points(own.rows, on=self.on, scale=self.scale), subject=subject)
