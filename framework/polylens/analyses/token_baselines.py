"""Are clusters of text more than the token that stands there, and more than where it stands?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from polylens.analyses import NETWORK, Keeper, Need, Outcomes, RowAnalysis, by_variant
from polylens.errors import DataError
from polylens.progress import Progress, Task
from polylens.records import Figure, Findings, Number, Partition, Rows, RowTokens
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from jaxtyping import Int64

    from polylens.statistics import Blocks


_SHOWN = (
    *("token_information", "token_purity", "position_information"),
    *("next_token_beyond", "previous_token_beyond"),
)
"""Numbers that get a panel beside the controls."""
_WITH_CLUSTERS = ("token_purity", "next_token_beyond", "previous_token_beyond")
"""Numbers that are not defined without clusters."""


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

    of: str
    """Name of the analysis whose clusters are compared."""
    permutations: int = Field(default=200, ge=100)
    """How often tokens and positions are exchanged, for chance levels."""
    rare: int = Field(default=5, ge=1)
    """Tokens at fewer rows than this count as one token where clusters are compared with tokens."""
    bins: int = Field(default=10, ge=2)
    """Parts that positions are cut into, with equally many rows in each."""

    def needs(self) -> frozenset[Need]:
        """Nothing but where the rows come from and their tokens."""
        return frozenset()

    def upstream(self) -> tuple[str, ...]:
        """The compared analysis."""
        return (self.of,)

    def on_inputs(self) -> Self:
        """The same for clusters of the tokens' embeddings, which know nothing of what is around them."""
        return self

    def run(
        self,
        rows: Rows,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """Agreement and what is beyond, each with its chance level."""
        from polylens.statistics import Blocks

        partition = upstream[self.of].partition
        if partition is None:
            raise DataError(f"'{self.of}' gives no clusters to compare")
        if rows.tokens is None:
            raise DataError(
                "these rows stand at no tokens, so clusters cannot be compared with them",
                hint="use a dataset of texts, or leave 'token_baselines' out",
            )
        blocks = Blocks.of(rows.origins.block)
        numbers = self._token_numbers(partition, rows.tokens, blocks, streams)
        position = self._position(partition, rows, blocks, streams)
        if position is not None:
            numbers["position_information"] = position
        raw: dict[str, tuple[float, float]] = {}
        with progress.task("exchanging tokens", total=2 * self.permutations, unit="permutations") as task:
            for name, beside in (("next_token", rows.tokens.after), ("previous_token", rows.tokens.before)):
                own = streams.child(name)
                found = self._beyond(partition, rows.tokens.current, beside, blocks, own, task)
                if found is not None:
                    numbers[f"{name}_beyond"], raw[name] = found
        return Findings(
            numbers=numbers,
            tables={"clusters": _cluster_table(partition, rows.tokens), "explained": _explained_table(raw)},
            notes=() if partition.n_clusters else ("No cluster was found: token purity is not defined.",),
            undefined={} if partition.n_clusters else dict.fromkeys(_WITH_CLUSTERS, "no clusters"),
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Scores beside controls, and the clusters by current token."""
        from polylens.figures import contingency as contingency_figure
        from polylens.figures import scores
        from polylens.statistics import Pieces, common_tokens, contingency

        own = outcomes[NETWORK][0]
        partition, tokens = own.upstream[self.of].partition, own.rows.tokens
        if partition is None or tokens is None:
            return ()
        panels = {name: by_variant(outcomes, name) for name in _SHOWN}
        common, kept = common_tokens(tokens.current, least=self.rare)
        pieces = Pieces(tokens.vocabulary)
        clusters = [str(cluster) for cluster in range(partition.n_clusters)]
        names = [pieces.quoted(int(token)) for token in kept]
        lumped = bool((common == len(kept)).any())
        return (
            Figure(
                name="baselines",
                title="Token and position beside controls",
                caption=f"Dots: the network and each draw of each control. Ticks: chance. {subject}",
                png=scores(panels),
                alt="One panel a score; the network's dot beside those of the controls.",
            ),
            Figure(
                name="tokens",
                title="Clusters by current token",
                caption=f"Rows by cluster and by the token they stand at. {partition.method}. {subject}",
                png=contingency_figure(
                    contingency(partition.labels, common),
                    row_names=[*clusters, "noise"] if (partition.labels < 0).any() else clusters,
                    column_names=[*names, "rare"] if lumped else names,
                    row_title=self.of,
                    column_title="current token",
                ),
                alt="A table of counts: lines are clusters, columns are tokens.",
            ),
        )

    def _token_numbers(
        self, partition: Partition, tokens: RowTokens, blocks: Blocks, streams: Streams
    ) -> dict[str, Number]:
        """Agreement of clusters with the current token."""
        import numpy as np

        from polylens.statistics import (
            common_tokens,
            information_agreement,
            pair_agreement,
            partition_number,
            purity,
            row_null,
        )

        current, _ = common_tokens(tokens.current, least=self.rare)
        null = row_null(
            partition.labels, current, blocks=blocks, permutations=self.permutations, streams=streams
        )
        moved = (
            tokens.current[blocks.relaid_rows(streams.generator("documents", number))]
            for number in range(self.permutations)
        )
        by_chance = [purity(partition.labels, each) or 0.0 for each in moved]
        meaning = f"{self.permutations} rounds with the tokens of whole documents laid over other rows"
        numbers = {
            "token_information": partition_number(
                partition,
                lambda labels, kept: information_agreement(labels, current[kept]),
                null=null.information,
                null_is=meaning,
            ),
            "token_rand": partition_number(
                partition,
                lambda labels, kept: pair_agreement(labels, current[kept]),
                null=null.rand,
                null_is=meaning,
            ),
            "token_purity": partition_number(
                partition,
                lambda labels, kept: purity(labels, tokens.current[kept]),
                null=np.array(by_chance),
                null_is=meaning,
            ),
        }
        return {name: number for name, number in numbers.items() if number is not None}

    def _position(self, partition: Partition, rows: Rows, blocks: Blocks, streams: Streams) -> Number | None:
        """Agreement of clusters with position; None where all rows stand in one part."""
        import numpy as np

        from polylens.statistics import position_number

        at = rows.origins.position
        edges = np.unique(np.quantile(at, np.linspace(0, 1, self.bins + 1)[1:-1])) if len(at) else at
        part = np.searchsorted(edges, at, side="right").astype(np.int64)
        return position_number(
            partition, part, blocks=blocks, permutations=self.permutations, streams=streams
        )

    def _beyond(
        self,
        partition: Partition,
        current: Int64[np.ndarray, "rows"],
        beside: Int64[np.ndarray, "rows"],
        blocks: Blocks,
        streams: Streams,
        task: Task,
    ) -> tuple[Number, tuple[float, float]] | None:
        """What clusters say of a token beside the current one, which is known; None where it is certain."""
        import numpy as np

        from polylens.statistics import Blocks as BlocksOf
        from polylens.statistics import explained

        # Noise tells nothing: to its rows' share of the uncertainty nothing is added.
        known = np.flatnonzero((beside >= 0) & (partition.labels >= 0))
        covered = len(known) / max(int((beside >= 0).sum()), 1)
        found = explained(
            partition.labels[known],
            beside[known],
            given=current[known],
            blocks=BlocksOf.of(blocks.block[known]),
            permutations=self.permutations,
            streams=streams,
            after_each=task.advance,
        )
        if found is None:
            return None
        number = Number(
            found.beyond_chance * covered,
            chance=float(np.quantile(found.null_beyond_chance, 0.95)) * covered,
            chance_is=(
                f"95 % of {self.permutations} exchanges between documents, among rows of equal current "
                "token, stay below"
            ),
        )
        return number, (found.share, float(found.null.mean()))


def _cluster_table(partition: Partition, tokens: RowTokens) -> pd.DataFrame:
    """One line a cluster: its most common token, and how much of the cluster that is."""
    import numpy as np
    import pandas as pd

    from polylens.statistics import Pieces

    pieces = Pieces(tokens.vocabulary)
    lines = []
    for cluster in range(partition.n_clusters):
        known, counts = np.unique(tokens.current[partition.labels == cluster], return_counts=True)
        most = int(counts.argmax())
        share = float(counts[most] / counts.sum())
        lines.append((cluster, int(counts.sum()), len(known), pieces.quoted(int(known[most])), share))
    return pd.DataFrame(lines, columns=["cluster", "size", "distinct_tokens", "top_token", "top_token_share"])


def _explained_table(raw: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Shares of uncertainty before they are adjusted for chance."""
    import pandas as pd

    lines = [(name, share, chance) for name, (share, chance) in raw.items()]
    return pd.DataFrame(lines, columns=["about", "explained_share", "chance_mean"])
