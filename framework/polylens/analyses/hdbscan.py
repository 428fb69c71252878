"""Clusters of high density, and noise between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from polylens.analyses import NETWORK, Analysis, Need, Outcomes
from polylens.progress import Progress
from polylens.records import Alternative, Figure, Findings, Number, Partition, Rows, count_clusters
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.clustering import Points


class Hdbscan(Analysis):
    """HDBSCAN* clusters of activations or of codes, with the clusterings that quality and intervals need."""

    headline: ClassVar[tuple[str, ...]] = ("clusters", "coverage")
    gives_partition: ClassVar[bool] = True

    on: Literal["activation", "code"]
    """What is clustered: the rows' activations, or the bits of their codes."""
    metric: Literal["euclidean", "cosine", "hamming", "jaccard"] | None = None
    """How rows are compared: euclidean or cosine for activations, hamming or jaccard for codes. Without it:
    euclidean, hamming."""
    scale: Literal["none", "centre", "standardise"] = "none"
    """What is done to each column of the activations first: nothing, its mean taken off, or also its standard
    deviation made 1."""
    min_cluster_size: int = Field(default=5, ge=2)
    """Fewest rows of a cluster."""
    min_samples: int | None = Field(default=None, ge=1)
    """Neighbours that make a core point, the point itself counted. Without it: min_cluster_size."""
    selection: Literal["eom", "leaf"] = "eom"
    """Which clusters of the hierarchy are kept: the most persistent (`eom`), or the finest (`leaf`)."""
    curve: tuple[int, ...] = (5, 10, 20, 50)
    """Further min_cluster_sizes, for the curve of purity against coverage."""
    subsamples: int = Field(default=10, ge=0)
    """How many random 80 % of the examples are clustered again, for intervals."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fitting = {"activation": ("euclidean", "cosine"), "code": ("hamming", "jaccard")}[self.on]
        if self.metric is not None and self.metric not in fitting:
            raise ValueError(
                f"metric '{self.metric}' does not fit 'on: {self.on}'; use {' or '.join(fitting)}"
            )
        if self.on == "code" and self.scale != "none":
            raise ValueError("'scale' is for activations; the bits of codes have none")
        if any(size < 2 for size in self.curve):
            raise ValueError("each min_cluster_size of 'curve' must be 2 or more")
        return self

    def needs(self) -> frozenset[Need]:
        """Activations or codes, by `on`."""
        return frozenset({"activations"}) if self.on == "activation" else frozenset({"codes"})

    def run(
        self, rows: Rows, *, streams: Streams, upstream: Mapping[str, Findings], progress: Progress
    ) -> Findings:
        """The partition, with the alternatives of `curve` and `subsamples`."""
        from dataclasses import replace

        import numpy as np

        from polylens.analyses._pictures import cluster_table
        from polylens.clustering import row_points
        from polylens.statistics import Blocks, coverage, subsample_interval, subsamples

        points = row_points(rows, on=self.on, scale=self.scale)
        drawn = subsamples(Blocks.of(rows.origins.example), count=self.subsamples, streams=streams)
        everything = np.arange(len(rows), dtype=np.int64)
        found: list[Alternative] = []
        with progress.task("clustering", total=1 + len(self.curve) + len(drawn), unit="clusterings") as task:
            partition = self._cluster(points, self.min_cluster_size)
            task.advance()
            for size in self._sizes(len(rows)):
                again = (
                    partition
                    if size == self.min_cluster_size
                    else self._cluster(points, size, exemplars=False)
                )
                found.append(Alternative("min_cluster_size", size, everything, again.labels))
                task.advance()
            for number, chosen in enumerate(drawn):
                if len(chosen) >= max(self._neighbours(self.min_cluster_size), 2):
                    again = self._cluster(points[chosen], self.min_cluster_size, exemplars=False)
                    found.append(Alternative("subsample", number, chosen, again.labels))
                task.advance()

        stable = [item.labels for item in found if item.name == "subsample"]
        clusters = subsample_interval(float(count_clusters(labels)) for labels in stable)
        covered = subsample_interval(coverage(labels) for labels in stable)
        noise = int((partition.labels < 0).sum())
        notes = () if partition.n_clusters else ("No cluster was found: every row is noise.",)
        return Findings(
            numbers={
                "clusters": Number(
                    float(partition.n_clusters), clusters.low, clusters.high, clusters.meaning
                ),
                "coverage": Number(partition.coverage, covered.low, covered.high, covered.meaning),
                "noise_rows": Number(float(noise), unit="rows"),
            },
            tables={"clusters": cluster_table(rows, partition)},
            partition=replace(partition, alternatives=tuple(found)),
            notes=notes,
        )

    def _cluster(self, points: Points, size: int, *, exemplars: bool = True) -> Partition:
        from dataclasses import replace

        from polylens.clustering import hdbscan

        found = hdbscan(
            points,
            metric=self.metric or ("euclidean" if self.on == "activation" else "hamming"),
            min_cluster_size=size,
            min_samples=self.min_samples,
            selection=self.selection,
            exemplars=exemplars,
        )
        scaled = "" if self.scale == "none" else f", scale {self.scale}"
        return replace(found, method=f"{found.method} of {self.on}s{scaled}")

    def _neighbours(self, size: int) -> int:
        return size if self.min_samples is None else self.min_samples

    def _sizes(self, n_rows: int) -> Iterator[int]:
        """The curve's sizes that these rows are enough for, each once, rising."""
        return (size for size in sorted(set(self.curve)) if max(size, self._neighbours(size)) <= n_rows)

    def on_inputs(self) -> Self:
        """The raw inputs, clustered alike by Euclidean distance."""
        return self.model_copy(update={"on": "activation", "metric": "euclidean"})

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Cluster sizes, a map of the rows, and the codes sorted by cluster, for the network."""
        from polylens.analyses._pictures import partition_pictures
        from polylens.clustering import row_points

        own = outcomes[NETWORK][0]
        return partition_pictures(own, row_points(own.rows, on=self.on, scale=self.scale), subject=subject)
