"""Pictures of how two partitions agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._partitions.tables import cluster_names
from polylens.analyses._pictures import number_panels
from polylens.figures import contingency as contingency_figure
from polylens.records import Figure
from polylens.statistics import contingency

if TYPE_CHECKING:
    from polylens.analyses.partition_agreement import PartitionAgreement

_SHOWN = ("adjusted_mutual_information", "adjusted_rand", "clustered_by_both")
"""Numbers that get a panel beside the controls."""


def partition_agreement_pictures(
    analysis: PartitionAgreement, outcomes: Outcomes, *, subject: str
) -> tuple[Figure, ...]:
    """How the clusters of one partition fall into those of the other, and agreement beside controls."""
    own = outcomes[NETWORK][0]
    first, second = (own.upstream[name].partition for name in analysis.of)
    if first is None or second is None:
        return ()
    return (
        Figure(
            name="contingency",
            title=f"{analysis.of[0]} against {analysis.of[1]}",
            caption=f"Rows by cluster of both. {first.method}; {second.method}. {subject}",
            png=contingency_figure(
                contingency(first.labels, second.labels),
                row_names=cluster_names(first),
                column_names=cluster_names(second),
                row_title=analysis.of[0],
                column_title=analysis.of[1],
            ),
            alt="A table of counts: lines are clusters of one partition, columns those of the other.",
        ),
        number_panels(
            outcomes,
            {name: name for name in _SHOWN},
            name="agreement",
            title="Agreement beside controls",
            caption=f"Dots: the network and each draw of each control. Ticks: chance. {subject}",
        ),
    )
