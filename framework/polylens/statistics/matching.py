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
    return tuple(order[:size, column] for column, size in enumerate(sizes))


def dealt_sizes(
    scores: Float64[np.ndarray, "rows directions"],
    clusters: Int64[np.ndarray, "rows"],
    *,
    generator: np.random.Generator,
) -> Int64[np.ndarray, "directions"]:
    """How many members each direction gets: the size of the cluster it is paired with, one to one.

    Directions and clusters are paired so that they share the most rows, where a direction has as many top
    rows as the cluster has members. Nothing is known of what rows mean. Sizes dealt by rank instead would
    give a direction that finds a small group the size of a large one, and fill it with rows of other groups.

    Args:
        scores: of rows along directions; equal ones are put in random order.
        clusters: of rows, -1 for noise; as many clusters as directions.
        generator: breaks ties.

    Source: the linear assignment problem, by `scipy.optimize.linear_sum_assignment`.

    >>> scores = np.array([[0.0, 1.0], [0.0, 2.0], [9.0, 0.0]])
    >>> dealt_sizes(scores, np.array([0, 0, 1]), generator=np.random.default_rng(0))
    array([1, 2])
    """
    from scipy.optimize import linear_sum_assignment

    count = scores.shape[1]
    sizes = np.bincount(clusters[clusters != NOISE], minlength=count)
    if len(sizes) != count:
        raise ValueError(f"{len(sizes)} clusters cannot be paired with {count} directions")
    own = clusters[_order(scores, generator)]
    shared = np.array([(own[:size] == cluster).sum(0) for cluster, size in enumerate(sizes)])
    paired, direction = linear_sum_assignment(-shared)
    dealt = np.zeros(count, dtype=np.int64)
    dealt[direction] = sizes[paired]
    return dealt


def above_the_rest(
    scores: Float64[np.ndarray, "rows directions"], sizes: Int64[np.ndarray, "directions"]
) -> Float64[np.ndarray, "rows directions"]:
    """How far each row is above the edge of each direction's top rows: midway between its last and the next.

    A row that two directions claim belongs where it is farther inside. By plain scores it would go to the
    direction with the fewer top rows, whose edge is higher: its every stray row would take members away.

    Args:
        scores: of rows along directions, in comparable units (standardised).
        sizes: top rows of each direction, 1 or more.

    >>> above_the_rest(np.array([[1.0], [5.0], [3.0]]), np.array([1])).ravel().tolist()
    [-3.0, 1.0, -1.0]
    """
    falling = -np.sort(-scores, axis=0)
    column = np.arange(len(sizes))
    edge = (falling[sizes - 1, column] + falling[np.minimum(sizes, len(scores) - 1), column]) / 2
    return np.asarray(scores - edge)


def matched_members(
    scores: Float64[np.ndarray, "rows directions"],
    sizes: Int64[np.ndarray, "directions"],
    *,
    generator: np.random.Generator,
) -> Int64[np.ndarray, "rows"]:
    """The direction that each row is a member of, -1 for none, with exactly `sizes` members.

    A row that is among the top rows of several directions is a member of the one where its score is
    highest, so scores must be comparable (`above_the_rest`); the others take their next best row instead. The
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
        for column in short:
            missing = int(sizes[column] - has[column])
            rows = order[asked[column] : asked[column] + missing, column]
            asked[column] += len(rows)
            won = rows[scores[rows, column] > held[rows]]
            has -= np.bincount(member[won][member[won] >= 0], minlength=len(sizes))
            member[won], held[won] = column, scores[won, column]
            has[column] += len(won)
    return member


def _order(
    scores: Float64[np.ndarray, "rows directions"], generator: np.random.Generator
) -> Int64[np.ndarray, "rows directions"]:
    """Rows by falling score along each direction, equal ones at random."""
    shuffled = generator.permutation(len(scores))
    return shuffled[np.argsort(-scores[shuffled], axis=0, kind="stable")].astype(np.int64)
