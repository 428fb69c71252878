"""Two factors that rows have or do not have, and what becomes of them by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from polylens.errors import DataError
from polylens.records import Rows
from polylens.statistics import Blocks, Cells, split_examples
from polylens.streams import Streams

_NEIGHBOURS = 8
"""Tokens of neighbouring rank by frequency that are exchanged for chance."""


@dataclass(frozen=True)
class Factors:
    """Two factors, each a set of kinds of rows: of classes, or of tokens."""

    kind: Int64[np.ndarray, "two rows"]
    """For each factor the kind of each row: its class, or its token or the token before it."""
    has: tuple[Bool[np.ndarray, "kinds"], Bool[np.ndarray, "kinds"]]
    """For each factor which kinds of rows have it."""
    together: bool
    """Whether both factors are of the same kinds, so that kinds are exchanged for both at once."""
    said: str
    """What the factors are, in a sentence."""

    @staticmethod
    def of(rows: Rows, names: tuple[tuple[str, ...], tuple[str, ...]] | None) -> Factors | None:
        """The factors of rows with classes, as named, or of rows of text; None where none are named.

        Raises:
            DataError: a named class is not there.
        """
        if rows.targets is not None and names is not None:
            unknown = sorted({name for part in names for name in part} - set(rows.classes))
            if unknown:
                raise DataError(
                    f"'factors' names classes that are not there: {', '.join(unknown)}",
                    hint=f"classes: {', '.join(rows.classes[:20])}",
                )
            own = np.asarray(rows.targets)
            first, second = (np.array([name in part for name in rows.classes]) for part in names)
            said = " and ".join(f"being one of {', '.join(part)}" for part in names)
            return Factors(np.stack([own, own]), (first, second), True, f"The factors are {said}.")
        if rows.tokens is None or names is not None:
            return None
        kinds, has = [], []
        for tokens in (rows.tokens.current, rows.tokens.before):
            known, number = np.unique(tokens, return_inverse=True)
            kinds.append(number.astype(np.int64))
            has.append(np.array([token >= 0 and _is_word(rows.tokens.vocabulary[token]) for token in known]))
        said = "The factors are that the token has a letter, and that the token before has one."
        return Factors(np.stack(kinds), (has[0], has[1]), False, said)

    def cells(self, second_half: Bool[np.ndarray, "rows"]) -> Cells:
        """The rows by factor and half."""
        return Cells.of(self.has[0][self.kind[0]], self.has[1][self.kind[1]], second_half=second_half)

    def draw_others(self, count: int, streams: Streams) -> Iterator[Factors]:
        """The factors with kinds exchanged: other sets of as many classes, or of tokens about as frequent."""
        for number in range(count):
            generator = streams.generator("factors", number)
            first = self._exchange(0, generator)
            second = first if self.together else self._exchange(1, generator)
            has = (self.has[0][first], self.has[1][second])
            yield Factors(self.kind, has, self.together, self.said)

    def _exchange(self, factor: int, generator: np.random.Generator) -> Int64[np.ndarray, "kinds"]:
        n_kinds = len(self.has[factor])
        if self.together:
            return generator.permutation(n_kinds).astype(np.int64)
        order = np.argsort(-np.bincount(self.kind[factor], minlength=n_kinds), kind="stable")
        exchanged = np.empty(n_kinds, dtype=np.int64)
        for start in range(0, n_kinds, _NEIGHBOURS):
            group = order[start : start + _NEIGHBOURS]
            exchanged[group] = generator.permutation(group)
        return exchanged


def halves_of(rows: Rows, streams: Streams) -> Bool[np.ndarray, "rows"]:
    """Which rows are of the second half of the examples, the same share of each class."""
    blocks = Blocks.of(rows.origins.block)
    classes = np.zeros(len(blocks), np.int64) if rows.targets is None else rows.targets[blocks.first]
    held_out = split_examples(np.asarray(classes), holdout=0.5, generator=streams.generator("halves"))
    return np.asarray(held_out[blocks.block])


def _is_word(text: str) -> bool:
    return any(character.isalpha() for character in text)
