"""Spanning trees by brute force, and rows to try them on."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

BIT_METRICS = ("hamming", "jaccard")
METRICS = (*BIT_METRICS, "euclidean", "cosine", "l1")


def distances(points: np.ndarray, metric: str) -> np.ndarray:
    """All distances by scipy, in double precision; directions of length 0 as polylens defines them."""
    if metric in BIT_METRICS:
        return np.nan_to_num(cdist(points, points, metric))
    values = points.astype(np.float64)
    with np.errstate(invalid="ignore"):
        found = cdist(values, values, {"l1": "cityblock"}.get(metric, metric))
    if metric == "cosine":
        empty = ~values.any(1)
        found[empty] = found[:, empty] = 1.0
        found[np.ix_(empty, empty)] = 0.0
    np.fill_diagonal(found, 0.0)
    return np.maximum(found, 0.0)


def core_distances(apart: np.ndarray, min_samples: int) -> np.ndarray:
    return np.sort(apart, axis=1)[:, min_samples - 1]


def tree_weights(apart: np.ndarray, min_samples: int) -> np.ndarray:
    """The sorted weights of scipy's minimum spanning tree of mutual reachability."""
    core = core_distances(apart, min_samples)
    reach = np.maximum(np.maximum(core[:, None], core[None]), apart)
    shifted = reach + 1.0  # scipy takes an entry of 0 for no edge
    np.fill_diagonal(shifted, 0.0)
    return np.sort(minimum_spanning_tree(shifted).data - 1.0)


def some_points(generator: np.random.Generator, metric: str) -> np.ndarray:
    """A few rows of any shape: scattered, with many duplicates, in tight groups, or far from the origin."""
    n, width = int(generator.integers(2, 90)), int(generator.integers(1, 150))
    shape = generator.integers(3)
    if metric in BIT_METRICS:
        if shape == 2:
            centres = generator.random((4, width)) < 0.5
            return centres[generator.integers(0, 4, n)] ^ (generator.random((n, width)) < 0.05)
        points = generator.random((n, width)) < generator.random()
    else:
        values = generator.normal(size=(n, width)) * 10 ** generator.uniform(-3, 3)
        if shape == 2:
            centres = 10 * generator.normal(size=(4, width))
            values = centres[generator.integers(0, 4, n)] + 0.1 * generator.normal(size=(n, width))
        values[generator.random(n) < 0.1 * (generator.random() < 0.3)] = 0.0
        points = (values + generator.choice([0, 100])).astype(np.float32)
    return points[generator.integers(0, max(n // 3, 1), n)] if shape == 1 else points


def planted(metric, *, rows=700, width=96, groups=7, seed=0):
    """Groups of rows, some of them twice."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(groups, width))
    values = centres[generator.integers(0, groups, rows)] + 0.2 * generator.normal(size=(rows, width))
    values[:100] = values[100:200]
    return values > 0 if metric in BIT_METRICS else values.astype(np.float32)
