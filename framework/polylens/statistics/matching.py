"""Members of directions, as many as clusters have."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import NOISE


def top_rows(
    scores: Float64[np.ndarray, "rows directions"],
    sizes: Int64[np.ndarray, "directions"],
    *,
    generator: np.random.Generator,
) -> tuple[Int64[np.ndarray, "members"], ...]:
    """The rows highest along each direction, the highest first; a row may be of several directions.

    Args:
        scores: of rows along directions; equal ones are put in random order.
        sizes: how many rows each direction gets.
        generator: breaks ties.

    >>> scores = np.array([[1.0, 0.0], [3.0, 5.0], [2.0, 1.0]])
    >>> [each.tolist() for each in top_rows(scores, np.array([2, 1]), generator=np.random.default_rng(0))]
    [[1, 2], [1]]
    """
    order = _order(scores, generator)
    return tuple(order[:size, place] for place, size in enumerate(sizes))


def matched_members(
    scores: Float64[np.ndarray, "rows directions"],
    sizes: Int64[np.ndarray, "directions"],
    *,
    generator: np.random.Generator,
) -> Int64[np.ndarray, "rows"]:
    """The direction that each row is a member of, -1 for none, with exactly `sizes` members.

    A row that is among the top rows of several directions is a member of the one where its score is
    highest, so scores must be comparable (standardised); the others take their next best row instead. The
    result is the stable matching, the same as taking pairs of row and direction by falling score.

    Args:
        scores: of rows along directions; equal ones are put in random order.
        sizes: members of each direction; together no more than there are rows.
        generator: breaks ties.

    Source: Gale and Shapley (1962), deferred acceptance.

    >>> scores = np.array([[3.0, 2.5], [2.0, 0.0], [1.0, 1.5]])
    >>> matched_members(scores, np.array([1, 1]), generator=np.random.default_rng(0))
    array([ 0, -1,  1])
    """
    if sizes.sum() > len(scores):
        raise ValueError(f"{sizes.sum()} members do not fit {len(scores)} rows")
    order = _order(scores, generator)
    member = np.full(len(scores), NOISE, dtype=np.int64)
    held = np.full(len(scores), -np.inf)
    asked, has = np.zeros_like(sizes), np.zeros_like(sizes)
    while (short := np.flatnonzero(has < sizes)).size:
        for place in short:
            missing = int(sizes[place] - has[place])
            rows = order[asked[place] : asked[place] + missing, place]
            asked[place] += len(rows)
            won = rows[scores[rows, place] > held[rows]]
            has -= np.bincount(member[won][member[won] >= 0], minlength=len(sizes))
            member[won], held[won] = place, scores[won, place]
            has[place] += len(won)
    return member


def _order(
    scores: Float64[np.ndarray, "rows directions"], generator: np.random.Generator
) -> Int64[np.ndarray, "rows directions"]:
    """Rows by falling score along each direction, equal ones at random."""
    shuffled = generator.permutation(len(scores))
    return shuffled[np.argsort(-scores[shuffled], axis=0, kind="stable")].astype(np.int64)
