"""Clusters around centres: every row belongs to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from polylens.analyses._partitions.around_centres import AroundCentres
from polylens.progress import Progress
from polylens.records import Partition
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.clustering import RowValues


class Kmeans(AroundCentres):
    """k-means clusters of activations, or of codes (bits as -1 and +1): as many as are asked for."""

    version: ClassVar[int] = 6

    on: Literal["activation", "code"]
    """What is clustered: the rows' activations, or their codes (bits, or the numbers of graded ones)."""
    clusters: int = Field(ge=1)
    """How many clusters are made."""
    scale: Literal["none", "centre", "standardise"] = "none"
    """What is done to each column of the activations first: nothing, its mean taken off, or also its standard
    deviation made 1."""
    restarts: int = Field(default=10, ge=1)
    """Independent starts by k-means++, among some rows where there are many; the one with the least summed
    squared distance is kept."""
    subsamples: int = Field(default=10, ge=0)
    """How many random 80 % of the examples are clustered again, for intervals and stability."""

    def cluster(
        self, points: RowValues, *, streams: Streams, exemplars: bool, progress: Progress
    ) -> Partition:
        """One clustering of points, with medoids where `exemplars` asks for them."""
        from polylens.clustering import kmeans

        return kmeans(
            points,
            clusters=self.clusters,
            streams=streams,
            restarts=self.restarts,
            exemplars=exemplars,
            progress=progress,
        )
