"""What rows can mean: their class, or the token they stand at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from polylens.errors import DataError
from polylens.records import Rows
from polylens.statistics import (
    PLACES,
    Blocks,
    ClassNull,
    Evidence,
    Pieces,
    TokenNaming,
    class_null,
    common_tokens,
    enrich,
    enrich_rows,
    enrich_tokens,
    row_null,
)
from polylens.streams import Streams

_HOLDOUT = 0.5
"""Share of the examples that names are scored on and not found on."""
_NAMING = TokenNaming(most=4, surprise=3.0, prior=100.0)
"""How tokens name a group of rows: as the label `token_enrichment` does where nothing else is said."""


@dataclass(frozen=True)
class Meanings:
    """What each row means."""

    rows: Rows
    blocks: Blocks
    values: Int64[np.ndarray, "rows"]
    """Class of each row, or id of its token."""
    common: Int64[np.ndarray, "rows"]
    """Class of each row, or a number for its token, all rare tokens having one number."""

    @staticmethod
    def of(rows: Rows, *, rare: int) -> Meanings:
        """Classes where rows have them, else the tokens they stand at.

        Args:
            rows: with classes or tokens.
            rare: tokens at fewer rows than this count as one where information is measured.

        Raises:
            DataError: they have neither.
        """
        blocks = Blocks.of(rows.origins.block)
        if rows.targets is not None:
            targets = np.asarray(rows.targets)
            return Meanings(rows, blocks, targets, targets)
        if rows.tokens is None:
            raise DataError(
                "these rows have no classes and stand at no tokens, so nothing says what they mean",
                hint="use a dataset with classes, or one of texts",
            )
        common, _ = common_tokens(rows.tokens.current, least=rare)
        return Meanings(rows, blocks, rows.tokens.current, common)

    @property
    def noun(self) -> str:
        """What a meaning is called."""
        return "token" if self.rows.targets is None else "class"

    @property
    def _vary(self) -> bool:
        """Whether rows of one example differ in what they mean."""
        return self.rows.targets is None or self.rows.by_row

    @property
    def shuffle_is(self) -> str:
        """How `shuffles` makes chance, for `chance_is`."""
        if self.rows.targets is None or self.rows.by_row:
            noun = "tokens" if self.rows.targets is None else "classes"
            return f"rounds with the {noun} of whole documents laid over other rows"
        return "shuffles of classes over examples"

    def names(self, values: Int64[np.ndarray, "some"]) -> list[str]:
        """The meanings in words."""
        if self.rows.targets is None and self.rows.tokens is not None:
            pieces = Pieces(self.rows.tokens.vocabulary)
            return [pieces.quote(int(value)) for value in values]
        return [self.rows.classes[value] if self.rows.classes else str(value) for value in values]

    def shuffles(self, permutations: int, streams: Streams) -> Iterator[Int64[np.ndarray, "rows"]]:
        """The meanings moved between examples, all rows of an example together."""
        for number in range(permutations):
            if self._vary:
                yield self.values[self.blocks.relaid_rows(streams.generator("documents", number))]
            else:
                yield self.blocks.shuffled_classes(self.values, streams.generator("classes", number))

    def null(self, labels: Int64[np.ndarray, "rows"], permutations: int, streams: Streams) -> ClassNull:
        """Scores of the labels when meanings are moved between examples; rare tokens count as one."""
        null = row_null if self._vary else class_null
        return null(labels, self.common, blocks=self.blocks, permutations=permutations, streams=streams)

    def evidence(self, labels: Int64[np.ndarray, "rows"], *, permutations: int, streams: Streams) -> Evidence:
        """What names found on half of the examples are worth on the others, as labels find and score them."""
        if self.rows.targets is None and self.rows.tokens is not None:
            return enrich_tokens(
                labels,
                np.stack([getattr(self.rows.tokens, place) for place in PLACES]),
                blocks=self.blocks,
                naming=_NAMING,
                holdout=_HOLDOUT,
                permutations=permutations,
                streams=streams,
            )
        return (enrich_rows if self.rows.by_row else enrich)(
            labels,
            self.values,
            blocks=self.blocks,
            n_classes=max(len(self.rows.classes), int(self.values.max(initial=0)) + 1),
            holdout=_HOLDOUT,
            permutations=permutations,
            streams=streams,
        )

    def most_common(self, members: Int64[np.ndarray, "members"]) -> tuple[str, float]:
        """The most common meaning of some rows in words, and its share; nothing where there are no rows."""
        values, counts = np.unique(self.values[members], return_counts=True)
        if not len(values):
            return "", float("nan")
        most = int(counts.argmax())
        return self.names(values[most : most + 1])[0], float(counts[most] / counts.sum())
