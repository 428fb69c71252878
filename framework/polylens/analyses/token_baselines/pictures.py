"""Pictures of clusters beside tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._partitions.tables import cluster_names
from polylens.analyses._pictures import number_panels
from polylens.figures import contingency as contingency_figure
from polylens.records import Figure
from polylens.statistics import Pieces, common_tokens, contingency

if TYPE_CHECKING:
    from polylens.analyses.token_baselines import TokenBaselines

_SHOWN = (
    *("token_information", "token_purity", "position_information"),
    *("next_token_beyond", "previous_token_beyond"),
)
"""Numbers that get a panel beside the controls."""


def token_baselines_pictures(
    analysis: TokenBaselines, outcomes: Outcomes, *, subject: str
) -> tuple[Figure, ...]:
    """Scores beside controls, and the clusters by current token."""
    own = outcomes[NETWORK][0]
    partition, tokens = own.upstream[analysis.of].partition, own.rows.tokens
    if partition is None or tokens is None:
        return ()
    common, kept = common_tokens(tokens.current, least=analysis.rare)
    pieces = Pieces(tokens.vocabulary)
    names = [pieces.quote(int(token)) for token in kept]
    lumped = bool((common == len(kept)).any())
    return (
        number_panels(
            outcomes,
            {name: name for name in _SHOWN},
            name="baselines",
            title="Token and position beside controls",
            caption=f"Dots: the network and each draw of each control. Ticks: chance. {subject}",
        ),
        Figure(
            name="tokens",
            title="Clusters by current token",
            caption=f"Rows by cluster and by the token they stand at. {partition.method}. {subject}",
            png=contingency_figure(
                contingency(partition.labels, common),
                row_names=cluster_names(partition),
                column_names=[*names, "rare"] if lumped else names,
                row_title=analysis.of,
                column_title="current token",
            ),
            alt="A table of counts: lines are clusters, columns are tokens.",
        ),
    )
