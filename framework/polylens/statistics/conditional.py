"""What one labelling says about another, once a third is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.statistics.blocks import Blocks
from polylens.streams import Streams

_ROUNDING = 1e-12
"""Entropies (in nats) below this are rounding."""


@dataclass(frozen=True)
class ExplainedBy:
    """How much of what is uncertain about targets, once something else is given, labels take away."""

    share: float
    """Share of the uncertainty that labels take away, in [0, 1]. Where groups of equal given are small it is
    far above 0 for labels that say nothing."""
    null: Float64[np.ndarray, "permutations"]
    """The share for each permutation of the targets among rows of equal given."""

    @property
    def beyond_chance(self) -> float:
        """The share, adjusted so that 0 is the mean of the permutations and 1 is certainty."""
        return float(self._adjust(np.array([self.share]))[0])

    @property
    def null_beyond_chance(self) -> Float64[np.ndarray, "permutations"]:
        """The share of each permutation, adjusted in the way of `beyond_chance`."""
        return self._adjust(self.null)

    def _adjust(self, share: Float64[np.ndarray, "some"]) -> Float64[np.ndarray, "some"]:
        chance = float(self.null.mean())
        return np.asarray((share - chance) / (1 - chance) if chance < 1 else np.zeros(len(share)))


def explain(
    labels: Int64[np.ndarray, "rows"],
    targets: Int64[np.ndarray, "rows"],
    *,
    given: Int64[np.ndarray, "rows"],
    blocks: Blocks,
    permutations: int,
    streams: Streams,
    after_each: Callable[[], object] = lambda: None,
) -> ExplainedBy | None:
    """I(labels; targets | given) / H(targets | given), beside permutations that keep what is given.

    Each permutation lays the targets of whole blocks, in random order, over the rows of equal `given`, so
    that what the given says about targets and about labels stays to the last row. None where no target is
    uncertain.

    Args:
        labels: what may explain; noise is a label of its own.
        targets: what is explained.
        given: what is known of each row.
        blocks: rows that belong together.
        permutations: how many.
        streams: of the permutations.
        after_each: called after each permutation.

    Source: Cover and Thomas (2006), Elements of Information Theory, equation 2.61; Theil (1970) for the share
        (the uncertainty coefficient); adjusted for chance as in Hubert and Arabie (1985).

    >>> given, targets = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3])
    >>> apart = {"blocks": Blocks.of(np.arange(4)), "permutations": 5, "streams": Streams(0)}
    >>> explain(np.array([0, 1, 0, 1]), targets, given=given, **apart).share
    1.0
    >>> explain(given, targets, given=given, **apart).share
    0.0
    """
    known, targets = _together(given), _together(targets)
    both = _together(known, _together(labels))
    uncertain = _entropy(_together(known, targets)) - _entropy(known)
    if uncertain <= _ROUNDING:
        return None

    def share(shuffled: Int64[np.ndarray, "rows"]) -> float:
        left = _entropy(_together(both, shuffled)) - _entropy(both)
        return min(max(1 - left / uncertain, 0.0), 1.0)

    null = np.zeros(permutations)
    for number in range(permutations):
        order = blocks.relaid_rows(streams.generator("documents", number), within=known)
        null[number] = share(targets[order])
        after_each()
    return ExplainedBy(share(targets), null)


def _together(*labellings: Int64[np.ndarray, "rows"]) -> Int64[np.ndarray, "rows"]:
    """One labelling that tells apart what any of several does, numbered from 0."""
    numbers = np.zeros(len(labellings[0]), dtype=np.int64)
    for each in labellings:
        # Labels numbered below the rows: their product fits into 64 bits.
        numbers = numbers * (int(each.max(initial=0)) + 2) + each + 1
        _, numbers = np.unique(numbers, return_inverse=True)
        numbers = numbers.astype(np.int64)
    return numbers


def _entropy(labels: Int64[np.ndarray, "rows"]) -> float:
    """Entropy of a labelling, in nats."""
    counts = np.bincount(labels)
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())
