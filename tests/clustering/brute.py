"""Hierarchies the slow way, to hold the engine against: all pairs at once, scipy's spanning tree."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from tests.clustering.trees import core_distances, distances

from polylens.clustering import canonical
from polylens.records import Hierarchy


def reachability(points: np.ndarray, metric: str, min_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Mutual reachability of all pairs, 0 on the diagonal, and core distances."""
    apart = distances(points, metric)
    apart = np.minimum(apart, apart.T)  # scipy's cosine differs by rounding either way
    core = core_distances(apart, min_samples)
    reach = np.maximum(apart, np.maximum(core, core[:, None]))
    np.fill_diagonal(reach, 0)
    return reach, core


def spanning_tree(reach: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A minimum spanning tree of all pairs: both ends and the weight of each edge.

    scipy takes a 0 for a pair that is not joined, so ranks from 1 stand for the weights.
    """
    values, ranks = np.unique(reach, return_inverse=True)
    tree = minimum_spanning_tree(np.triu(ranks.reshape(reach.shape) + 1.0, 1)).tocoo()
    ends = (ends.astype(np.int64) for ends in (tree.row, tree.col))
    return *ends, values[np.rint(tree.data).astype(np.int64) - 1]


def hierarchy(points: np.ndarray, *, metric: str, min_samples: int) -> Hierarchy:
    """What `polylens.clustering.hierarchy` gives, from a matrix of all pairs."""
    reach, core = reachability(points, metric, min_samples)
    return canonical(*spanning_tree(reach), core=core, metric=metric, min_samples=min_samples)
