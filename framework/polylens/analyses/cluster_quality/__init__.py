"""How well clusters agree with classes, beside chance, at which coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from pydantic import Field

from polylens.analyses import Keeper, Need, Outcome, Outcomes, RowAnalysis
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Comparison, Figure, Findings, Rows, count_clusters
from polylens.streams import Streams

_SHOWN = ("clusters", "coverage", "purity", "right_fraction", "adjusted_mutual_information")
"""Numbers that are read together; the picture has a panel for each."""


class ClusterQuality(RowAnalysis):
    """Number of clusters, coverage, purity, the share of all rows right, and adjusted mutual information.

    Purity alone proves nothing and is not comparable at different coverage: read it beside coverage and the
    chance level, and beside controls and raw inputs at equal coverage.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"classes"})
    version: ClassVar[int] = 3
    headline: ClassVar[tuple[str, ...]] = ("purity", "right_fraction", "adjusted_mutual_information")
    answer: ClassVar[tuple[str, ...]] = ("purity", "coverage", "right_fraction")
    compared: ClassVar[tuple[str, ...]] = ("purity", "right_fraction")

    of: str
    """Name of the analysis whose clusters are scored."""
    permutations: int = Field(default=200, ge=200)
    """How often classes are shuffled over examples, for chance levels."""

    def needs(self) -> frozenset[Need]:
        """Nothing but where the rows come from and their classes."""
        return frozenset()

    def upstream(self) -> tuple[str, ...]:
        """The scored analysis."""
        return (self.of,)

    def run(
        self,
        rows: Rows,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """Scores with stability ranges from the partition's subsamples and chance from block permutations."""
        import numpy as np

        from polylens.analyses.cluster_quality.tables import chance_table, cluster_purities, quality_curve
        from polylens.statistics import (
            Blocks,
            class_null,
            cluster_classes,
            coverage,
            information_agreement,
            partition_number,
            position_number,
            purity,
            right_fraction,
        )

        partition = upstream[self.of].partition
        if partition is None:
            raise DataError(f"'{self.of}' gives no clusters to score")
        if rows.targets is None:
            raise DataError(
                "these rows have no classes, so clusters cannot be scored by them",
                hint="use a dataset with classes, or leave 'cluster_quality' out",
            )
        targets, blocks = np.asarray(rows.targets), Blocks.of(rows.origins.block)
        null = class_null(
            partition.labels, targets, blocks=blocks, permutations=self.permutations, streams=streams
        )
        shuffles = f"{self.permutations} shuffles of classes over examples"
        numbers = {
            "clusters": partition_number(partition, lambda labels, _: float(count_clusters(labels))),
            "coverage": partition_number(partition, lambda labels, _: coverage(labels)),
            "purity": partition_number(
                partition,
                lambda labels, kept: purity(labels, targets[kept]),
                null=null.purity,
                null_is=shuffles,
            ),
            "right_fraction": partition_number(
                partition,
                lambda labels, kept: right_fraction(labels, targets[kept]),
                null=null.purity * coverage(partition.labels),
                null_is=shuffles,
            ),
            "adjusted_mutual_information": partition_number(
                partition,
                lambda labels, kept: information_agreement(labels, targets[kept]),
                null=null.information,
                null_is=shuffles,
            ),
            "best_cluster_purity": partition_number(
                partition,
                lambda labels, kept: cluster_classes(labels, targets[kept]).purity.max(initial=0.0) or None,
                null=null.best_cluster_purity,
                level=0.95,
                null_is=f"{shuffles} (the best cluster of each)",
            ),
            "position_information": position_number(
                partition,
                rows.origins.position,
                blocks=blocks,
                permutations=self.permutations,
                streams=streams,
            ),
        }
        known = {name: number for name, number in numbers.items() if number is not None}
        return Findings(
            numbers=known,
            tables={
                "clusters": cluster_purities(rows, partition, null),
                "curve": quality_curve(rows, partition),
                "chance": chance_table(known, null),
            },
            notes=() if partition.n_clusters else ("No cluster was found: purity is not defined.",),
            undefined=dict.fromkeys(
                () if partition.n_clusters else ("purity", "best_cluster_purity"), "no clusters"
            ),
        )

    def on_inputs(self) -> Self:
        """The same scores for clusters of raw inputs."""
        return self

    def compare(
        self, own: Outcome, draws: Sequence[Outcome], *, streams: Streams
    ) -> Mapping[str, Comparison]:
        """Purity at the smaller coverage of the network and each draw, and the share of all rows right."""
        from polylens.analyses.cluster_quality.comparison import quality_comparisons

        return quality_comparisons(own, draws, of=self.of, streams=streams)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Scores beside controls, purity against coverage, and the clusters by class."""
        from polylens.analyses.cluster_quality.pictures import quality_pictures

        return quality_pictures(outcomes, of=self.of, shown=_SHOWN, subject=subject)
