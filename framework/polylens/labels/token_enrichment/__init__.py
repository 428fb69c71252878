"""Names clusters by the tokens they hold too many of, and says how good the names are in other documents."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.errors import DataError
from polylens.labels import Label
from polylens.progress import Progress
from polylens.records import ClusterLabel, Labels, Partition, Rows
from polylens.streams import Streams


class TokenEnrichment(Label):
    """The tokens each cluster holds beyond chance, named in some documents and scored in the others.

    A name reads `"the" · after "of"`: the row stands at one of the first tokens, after one of the second;
    `before "."` says which tokens come next. A cluster is named where these tokens are over-represented
    beyond chance *and* more than half of its held-out rows stand so. One that is above chance without that
    majority is called `mixed, more "the"`; one within chance has `no name`.
    """

    asks: ClassVar[frozenset[str]] = frozenset({"tokens"})
    version: ClassVar[int] = 3
    headline: ClassVar[tuple[str, ...]] = ("named_coverage", "held_out_share")

    tokens: int = Field(default=4, ge=1, le=20)
    """Most tokens named at one place: at the row's own position, before it, or after it."""
    surprise: float = Field(default=3.0, gt=0)
    """Least log-odds, in standard deviations, of a token that is named."""
    prior: float = Field(default=100.0, gt=0)
    """How many rows the prior of the log-odds is worth; it expects of every cluster what all rows have."""
    holdout: float = Field(default=0.5, gt=0, lt=1)
    """Share of the documents that is kept from naming and used for scoring."""
    permutations: int = Field(default=200, ge=100)
    """How often the whole procedure is done with tokens of whole documents laid over other rows; oftener
    where `level` asks for it."""
    level: float = Field(default=0.05, gt=0, lt=1)
    """Chance that any cluster at all is named, of all labels and layers of a spec together, although tokens
    mean nothing to the clusters."""

    def label(
        self, rows: Rows, partition: Partition, *, streams: Streams, progress: Progress, among: int = 1
    ) -> Labels:
        """A label for every cluster, with held-out share and lift, their intervals and their chance level."""
        import numpy as np

        from polylens.labels._evidence import notes_of, numbers_of, rounds_for, undefined_of
        from polylens.labels.token_enrichment.tables import cluster_table, guess_of, token_table
        from polylens.statistics import PLACES, Blocks, Pieces, enrich_tokens

        if rows.tokens is None:
            raise DataError(
                "these rows stand at no tokens to name clusters by",
                hint="use a dataset of texts, or leave 'token_enrichment' out",
            )
        level = self.level / among
        rounds = rounds_for(level, least=self.permutations)
        with progress.task("naming clusters", total=rounds, unit="rounds") as task:
            found = enrich_tokens(
                partition.labels,
                np.stack([getattr(rows.tokens, place) for place in PLACES]),
                blocks=Blocks.of(rows.origins.block),
                most=self.tokens,
                surprise=self.surprise,
                prior=self.prior,
                holdout=self.holdout,
                permutations=rounds,
                streams=streams,
                after_each=task.advance,
            )
        sizes = np.bincount(partition.labels[partition.labels >= 0], minlength=partition.n_clusters)
        chance_lift, p_values = found.chance_lift(level), np.minimum(found.p_values * among, 1.0)
        share, lift = np.nan_to_num(found.share), np.nan_to_num(found.lift)
        above_chance = (p_values <= self.level) & (found.held_out_rows > 0)
        pieces = Pieces(rows.tokens.vocabulary)
        clusters = tuple(
            ClusterLabel(
                cluster=index,
                guess=guess_of(found, index, pieces),
                size=int(sizes[index]),
                share=float(share[index]),
                lift=float(lift[index]),
                chance_lift=float(chance_lift[index]),
                p_value=float(p_values[index]),
                above_chance=bool(above_chance[index]),
            )
            for index in range(partition.n_clusters)
        )
        return Labels(
            clusters=clusters,
            numbers=numbers_of(
                found,
                clusters,
                n_rows=len(partition.labels),
                level=level,
                chance_is=(
                    f"mean of {rounds} rounds of naming and scoring with the tokens of whole "
                    "documents laid over other rows"
                ),
            ),
            tables={
                "clusters": cluster_table(rows, partition, found, clusters),
                "tokens": token_table(partition, rows.tokens, found),
            },
            notes=notes_of(found, copies=rows.origins.n_copies, level=self.level, among=among),
            undefined=undefined_of(clusters),
        )
