"""Names clusters by the tokens they hold too many of, and says how good the names are in other documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.labels import Label
from polylens.records import Labels, Partition, Rows
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool


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
    numbers: ClassVar[tuple[str, ...]] = (
        "named_fraction",
        "named_coverage",
        "above_chance_coverage",
        "held_out_share",
        "median_lift",
    )

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

    def label(self, rows: Rows, partition: Partition, work: Work) -> Labels:
        """A label for every cluster, with held-out share and lift, their intervals and their chance level."""
        from polylens.labels.token_enrichment.naming import token_labels

        return token_labels(
            self, rows, partition, streams=work.streams, progress=work.progress, among=work.among
        )

    def held_out(self, rows: Rows, streams: Streams) -> Bool[np.ndarray, "rows"]:
        """The rows of the documents that names are scored in."""
        from polylens.labels.token_enrichment.rules import held_out_rows

        return held_out_rows(self, rows, streams)

    def fits(self, labels: Labels, rows: Rows) -> Bool[np.ndarray, "rows clusters"]:
        """Whether a row stands at the tokens of a cluster's name, at every place that the name says."""
        from polylens.labels.token_enrichment.rules import fitting_rows

        return fitting_rows(labels, rows)
