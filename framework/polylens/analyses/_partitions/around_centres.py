"""What kinds that put clusters around centres have in common: all but their fields and their algorithm."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from polylens.analyses import NETWORK, Need, Outcomes, RowAnalysis
from polylens.analyses._partitions.spaces import On, Scale, check_scale, metric_between
from polylens.progress import Progress
from polylens.records import Figure, Findings, Partition, Rows
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    from polylens.clustering import RowValues


class AroundCentres(RowAnalysis):
    """Clusters around centres, to which every row belongs."""

    headline: ClassVar[tuple[str, ...]] = ("clusters", "mean_strength")
    numbers: ClassVar[tuple[str, ...]] = (
        "clusters",
        "coverage",
        "mean_strength",
        "stability_adjusted_rand",
        "stability_adjusted_mutual_information",
    )
    gives_partition: ClassVar[bool] = True

    if TYPE_CHECKING:
        # Each kind declares these fields itself, among its own ones and in its own words.
        on: On
        scale: Scale
        subsamples: int

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_scale(self.on, self.scale)
        return self

    @abstractmethod
    def cluster(
        self, points: RowValues, *, streams: Streams, exemplars: bool, progress: Progress
    ) -> Partition:
        """One clustering of points.

        Args:
            points: the rows as numbers.
            streams: of the starts.
            exemplars: whether clusters get medoids.
            progress: where the work shows itself.
        """

    def needs(self) -> frozenset[Need]:
        """Activations or codes, by `on`."""
        return frozenset({"activations"}) if self.on == "activation" else frozenset({"codes"})

    def run(self, rows: Rows, work: Work) -> Findings:
        """The partition, with those of subsamples of the examples as its alternatives."""
        from polylens.analyses._partitions.centres import centre_findings

        return centre_findings(self, rows, streams=work.streams, progress=work.progress)

    def on_inputs(self) -> Self:
        """The raw inputs, clustered alike."""
        return self.model_copy(update={"on": "activation"})

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Cluster sizes, a map of the rows, distances, and codes by cluster, for the network."""
        from polylens.analyses._partitions.pictures import partition_pictures

        own = outcomes[NETWORK][0]
        metric = metric_between(own.rows, on=self.on)
        return partition_pictures(own, on=self.on, metric=metric, scale=self.scale, subject=subject)
