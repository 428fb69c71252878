"""How well clusters agree with classes, beside chance, at which coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from pydantic import Field

from polylens.analyses import Need, Outcome, Outcomes, RowAnalysis
from polylens.records import Comparison, Figure, Findings, Rows
from polylens.streams import Streams
from polylens.work import Work

_SHOWN = ("clusters", "coverage", "purity", "right_fraction", "adjusted_mutual_information")
"""Numbers that are read together; the picture has a panel for each."""


class ClusterQuality(RowAnalysis):
    """Number of clusters, coverage, purity, the share of all rows right, and adjusted mutual information.

    Purity alone proves nothing and is not comparable at different coverage: read it beside coverage and the
    chance level, and beside controls and raw inputs at equal coverage.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"classes"})
    version: ClassVar[int] = 3
    later_fields: ClassVar[frozenset[str]] = frozenset({"targets"})
    headline: ClassVar[tuple[str, ...]] = ("purity", "right_fraction", "adjusted_mutual_information")
    answer: ClassVar[tuple[str, ...]] = ("purity", "coverage", "right_fraction")
    compared: ClassVar[tuple[str, ...]] = ("purity", "right_fraction")
    numbers: ClassVar[tuple[str, ...]] = (
        "clusters",
        "coverage",
        "purity",
        "right_fraction",
        "adjusted_mutual_information",
        "best_cluster_purity",
        "position_information",
    )

    of: str
    """Name of the analysis whose clusters are scored."""
    targets: str = "class"
    """Which classes clusters are scored by. `class`: those of the examples. Any other name: one of the
    dataset's targets of rows, such as `token_tag` or `coarse_tag` of tagged text. Chance lays them, whole
    documents at a time, over other rows."""
    permutations: int = Field(default=200, ge=200)
    """How often classes are shuffled over examples, for chance levels."""

    def needs(self) -> frozenset[Need]:
        """Nothing but where the rows come from and their classes."""
        return frozenset()

    def upstream(self) -> tuple[str, ...]:
        """The scored analysis."""
        return (self.of,)

    def run(self, rows: Rows, work: Work) -> Findings:
        """Scores with stability ranges from the partition's subsamples and chance from block permutations."""
        from polylens.analyses.cluster_quality.findings import cluster_quality_findings

        return cluster_quality_findings(self, rows, streams=work.streams, upstream=work.upstream)

    def on_inputs(self) -> Self:
        """Clusters of raw inputs are scored by their classes as well."""
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
