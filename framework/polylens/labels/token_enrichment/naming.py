"""Names of clusters by their tokens, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polylens.errors import DataError
from polylens.labels._evidence import Level, Particulars, labels_of
from polylens.labels.token_enrichment.tables import guess_of, token_table
from polylens.progress import Progress
from polylens.records import Labels, Partition, Rows
from polylens.statistics import PLACES, Blocks, Pieces, TokenNaming, enrich_tokens
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.labels.token_enrichment import TokenEnrichment


def token_labels(
    label: TokenEnrichment,
    rows: Rows,
    partition: Partition,
    *,
    streams: Streams,
    progress: Progress,
    among: int,
) -> Labels:
    """A label for every cluster, with held-out share and lift, their intervals and their chance level."""
    if rows.tokens is None:
        raise DataError(
            "these rows stand at no tokens to name clusters by",
            hint="use a dataset of texts, or leave 'token_enrichment' out",
        )
    level = Level(label.level, among)
    rounds = level.rounds(least=label.permutations)
    with progress.task("naming clusters", total=rounds, unit="rounds") as task:
        scores = enrich_tokens(
            partition.labels,
            np.stack([getattr(rows.tokens, place) for place in PLACES]),
            blocks=Blocks.of(rows.origins.block),
            naming=TokenNaming(label.tokens, label.surprise, label.prior),
            holdout=label.holdout,
            permutations=rounds,
            streams=streams,
            after_each=task.advance,
        )
    pieces = Pieces(rows.tokens.vocabulary)
    guesses = [guess_of(scores, index, pieces) for index in range(partition.n_clusters)]
    used = scores.names.used
    places = [" ".join(name for name, here in zip(PLACES, line, strict=True) if here) for line in used]
    return labels_of(
        scores,
        guesses,
        rows,
        partition,
        level=level,
        particulars=Particulars(
            words={"places": places},
            shares={
                "coverage": scores.coverage.tolist(),
                "name_share_of_rows": np.where(used.any(1), scores.base, np.nan).tolist(),
            },
            tables={"tokens": token_table(partition, rows.tokens, scores)},
            chance_is=(
                f"mean of {rounds} rounds of naming and scoring with the tokens of whole "
                "documents laid over other rows"
            ),
        ),
    )
