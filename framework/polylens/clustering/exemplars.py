"""Exact medoids of clusters, in bounded memory."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from polylens.clustering.points import Points
from polylens.records import count_clusters

_CHUNK_DISTANCES = 4_000_000
"""Distances held at once (32 MB)."""
_FEW = 500
"""Members whose distances are taken pair by pair."""
_ROUNDING = 1e-6
"""Of a summed distance: more than products of matrices lose, in double precision."""


def medoids(
    points: Points,
    *,
    labels: Int64[np.ndarray, "rows"],
    metric: Literal["euclidean", "hamming", "jaccard"],
) -> Int64[np.ndarray, "clusters"]:
    """The row of each cluster with the least summed distance to its other members; the first of equals.

    >>> medoids(np.array([[0], [1], [5]], dtype=np.float32), labels=np.zeros(3, np.int64), metric="euclidean")
    array([1])
    """
    summed = _bits_apart if metric == "hamming" else _summed_distances
    n_clusters = count_clusters(labels)
    chosen = np.zeros(n_clusters, dtype=np.int64)
    for cluster in range(n_clusters):
        members = np.flatnonzero(labels == cluster)
        chosen[cluster] = members[summed(points[members], metric).argmin()]
    return chosen


def _bits_apart(members: Points, _: str) -> Float64[np.ndarray, "members"]:
    """Summed Hamming distance in bits: column sums say it without looking at any pair."""
    ones = members.sum(0, dtype=np.int64)
    return np.asarray(np.where(members, len(members) - ones, ones).sum(1), dtype=np.float64)


def _summed_distances(members: Points, metric: str) -> Float64[np.ndarray, "members"]:
    if metric == "jaccard" or len(members) <= _FEW:
        return _pairwise(members, members, metric)
    # Products of matrices are a hundred times faster than pairs, and differ from them by rounding alone: what
    # they leave within rounding of the least is summed pair by pair.
    values = members.astype(np.float64)
    values -= values.mean(0)
    near = _from_products(values)
    candidates = np.flatnonzero(near <= near.min() * (1 + _ROUNDING))
    summed = np.full(len(members), np.inf)
    summed[candidates] = _pairwise(members[candidates], members, metric)
    return summed


def _pairwise(
    some: Shaped[np.ndarray, "some width"], members: Shaped[np.ndarray, "members width"], metric: str
) -> Float64[np.ndarray, "some"]:
    """Summed distance of some rows to all members, pair by pair."""
    from scipy.spatial.distance import cdist

    left, right = (values if metric == "jaccard" else values.astype(np.float64) for values in (some, members))
    step = max(_CHUNK_DISTANCES // len(members), 1)
    pieces = [cdist(left[start : start + step], right, metric).sum(1) for start in range(0, len(left), step)]
    return np.concatenate(pieces)


def _from_products(values: Float64[np.ndarray, "members width"]) -> Float64[np.ndarray, "members"]:
    """Summed Euclidean distances, from |x - y|^2 = |x|^2 + |y|^2 - 2 xy; each pair of blocks once."""
    squares = np.einsum("mw,mw->m", values, values)
    summed = np.zeros(len(values))
    side = max(int(_CHUNK_DISTANCES**0.5), 1)
    for first in range(0, len(values), side):
        for second in range(first, len(values), side):
            left, right = slice(first, first + side), slice(second, second + side)
            apart = values[left] @ values[right].T
            apart *= -2
            apart += squares[left, None]
            apart += squares[right]
            np.sqrt(np.maximum(apart, 0, out=apart), out=apart)
            summed[left] += apart.sum(1)
            if second > first:
                summed[right] += apart.sum(0)
    return summed
