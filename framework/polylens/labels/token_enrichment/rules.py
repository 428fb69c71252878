"""Which rows a name by tokens is scored on, and which it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from polylens.errors import DataError
from polylens.records import Labels, Rows
from polylens.statistics import Blocks, split_examples
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.labels.token_enrichment import TokenEnrichment


def held_out_rows(label: TokenEnrichment, rows: Rows, streams: Streams) -> Bool[np.ndarray, "rows"]:
    """The rows of the documents that are kept from naming: the split that naming makes, made again."""
    blocks = Blocks.of(rows.origins.block)
    alike = np.zeros(len(blocks), np.int64)
    split = split_examples(alike, holdout=label.holdout, generator=streams.generator("split"))
    return np.asarray(split[blocks.block])


def fitting_rows(labels: Labels, rows: Rows) -> Bool[np.ndarray, "rows clusters"]:
    """Whether each row stands at one of the tokens of every place that each cluster's name speaks of.

    Raises:
        DataError: the rows stand at no tokens.
    """
    if rows.tokens is None:
        raise DataError("these rows stand at no tokens that a name could fit")
    table = labels.tables["tokens"]
    # Where no set has a token that stands out the table has no lines, and the column no type.
    named = table[table["in_name"].astype(bool)]
    fits = np.zeros((len(rows), len(labels.clusters)), dtype=bool)
    for cluster, places in named.groupby("cluster"):
        fits[:, int(str(cluster))] = np.logical_and.reduce(
            [
                np.isin(getattr(rows.tokens, str(place)), tokens["token_id"].to_numpy())
                for place, tokens in places.groupby("place")
            ]
        )
    return fits
