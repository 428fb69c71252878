"""Do two partitions of the same rows agree?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Need, Outcomes, RowAnalysis
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class PartitionAgreement(RowAnalysis):
    """Adjusted agreement of two partitions: on the rows clustered by both, and times their share of either's.

    Noise is no class: that two partitions leave out the same rows is no agreement between their clusters.
    """

    version: ClassVar[int] = 3
    headline: ClassVar[tuple[str, ...]] = ("adjusted_mutual_information",)
    numbers: ClassVar[tuple[str, ...]] = (
        "adjusted_mutual_information",
        "adjusted_rand",
        "adjusted_mutual_information_clustered",
        "adjusted_rand_clustered",
        "clustered_by_both",
    )

    of: tuple[str, str]
    """Names of the two analyses whose clusters are compared."""
    permutations: int = Field(default=200, ge=20)
    """How often one partition's labels are exchanged between examples, for chance levels."""
    resamples: int = Field(default=50, ge=2)
    """Random 80 % of the examples on which agreement is taken again, where the two were not themselves
    clustered again on common subsamples."""

    def needs(self) -> frozenset[Need]:
        """Nothing but where the rows come from."""
        return frozenset()

    def upstream(self) -> tuple[str, ...]:
        """The two compared analyses."""
        return self.of

    def run(self, rows: Rows, work: Work) -> Findings:
        """Agreement, its stability range, its chance level, and the table of counts."""
        from polylens.analyses.partition_agreement.findings import partition_agreement_findings

        return partition_agreement_findings(
            self, rows, streams=work.streams, upstream=work.upstream, progress=work.progress
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """How the clusters of one partition fall into those of the other, and agreement beside controls."""
        from polylens.analyses.partition_agreement.pictures import partition_agreement_pictures

        return partition_agreement_pictures(self, outcomes, subject=subject)
