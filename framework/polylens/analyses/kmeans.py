"""Clusters around centres: every row belongs to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from polylens.analyses import NETWORK, Need, Outcomes, RowAnalysis
from polylens.analyses._partitions.spaces import check_scale, metric_between
from polylens.records import Figure, Findings, Partition, Rows
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    from polylens.clustering import Points


class Kmeans(RowAnalysis):
    """k-means clusters of activations, or of codes (bits as -1 and +1): as many as are asked for."""

    version: ClassVar[int] = 4
    headline: ClassVar[tuple[str, ...]] = ("clusters", "mean_strength")
    gives_partition: ClassVar[bool] = True

    on: Literal["activation", "code"]
    """What is clustered: the rows' activations, or their codes (bits, or the numbers of graded ones)."""
    clusters: int = Field(ge=1)
    """How many clusters are made."""
    scale: Literal["none", "centre", "standardise"] = "none"
    """What is done to each column of the activations first: nothing, its mean taken off, or also its standard
    deviation made 1."""
    restarts: int = Field(default=10, ge=1)
    """Independent starts by k-means++; the one with the least summed squared distance is kept."""
    subsamples: int = Field(default=10, ge=0)
    """How many random 80 % of the examples are clustered again, for intervals and stability."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_scale(self.on, self.scale)
        return self

    def needs(self) -> frozenset[Need]:
        """Activations or codes, by `on`."""
        return frozenset({"activations"}) if self.on == "activation" else frozenset({"codes"})

    def run(self, rows: Rows, work: Work) -> Findings:
        """The partition, with those of subsamples of the examples as its alternatives."""
        from polylens.analyses._partitions.centres import centre_findings

        return centre_findings(
            self._cluster,
            rows,
            on=self.on,
            scale=self.scale,
            subsamples=self.subsamples,
            streams=work.streams,
            progress=work.progress,
        )

    def _cluster(self, points: Points, *, streams: Streams, exemplars: bool) -> Partition:
        from polylens.clustering import kmeans

        return kmeans(
            points,
            clusters=self.clusters,
            streams=streams,
            restarts=self.restarts,
            exemplars=exemplars,
        )

    def on_inputs(self) -> Self:
        """The raw inputs, clustered alike."""
        return self.model_copy(update={"on": "activation"})

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Cluster sizes, a map of the rows, distances, and codes by cluster, for the network."""
        from polylens.analyses._partitions.pictures import partition_pictures

        own = outcomes[NETWORK][0]
        metric = metric_between(own.rows, on=self.on)
        return partition_pictures(own, on=self.on, metric=metric, scale=self.scale, subject=subject)
