"""Are clusters of text more than the token that stands there, and more than where it stands?"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field

from polylens.analyses import Need, Outcomes, RowAnalysis
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class TokenBaselines(RowAnalysis):
    """Agreement of clusters with the current token and with position, and what they say beyond the token.

    A network sees the token it stands at, so clusters by token are easy to get and say little about it. What
    is beyond: how much less uncertain the next and the previous token are to one who knows the cluster and
    the current token than to one who knows the current token alone. Rows of noise are told nothing.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"tokens"})
    version: ClassVar[int] = 3
    headline: ClassVar[tuple[str, ...]] = ("token_information", "next_token_beyond")
    answer: ClassVar[tuple[str, ...]] = ("next_token_beyond", "token_information")
    numbers: ClassVar[tuple[str, ...]] = (
        "token_information",
        "token_rand",
        "token_purity",
        "next_token_beyond",
        "previous_token_beyond",
        "position_information",
    )

    of: str
    """Name of the analysis whose clusters are compared."""
    permutations: int = Field(default=200, ge=100)
    """How often tokens and positions are exchanged, for chance levels."""
    rare: int = Field(default=5, ge=1)
    """Tokens at fewer rows than this count as one token where clusters are compared with tokens."""
    bins: int = Field(default=10, ge=2)
    """Parts that positions are cut into, with as equal numbers of rows as rows of one position leave."""

    def needs(self) -> frozenset[Need]:
        """Nothing but where the rows come from and their tokens."""
        return frozenset()

    def upstream(self) -> tuple[str, ...]:
        """The compared analysis."""
        return (self.of,)

    def on_inputs(self) -> Self:
        """Clusters of the tokens' embeddings are compared, which know nothing of what is around a token."""
        return self

    def run(self, rows: Rows, work: Work) -> Findings:
        """Agreement and what is beyond, each with its chance level."""
        from polylens.analyses.token_baselines.findings import token_baselines_findings

        return token_baselines_findings(
            self, rows, streams=work.streams, upstream=work.upstream, progress=work.progress
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Scores beside controls, and the clusters by current token."""
        from polylens.analyses.token_baselines.pictures import token_baselines_pictures

        return token_baselines_pictures(self, outcomes, subject=subject)
