"""Rows with structure: clusters planted in activation space, seen through one random ReLU layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DIMENSIONS = 64
ROWS_PER_CLUSTER = 40
CLUSTERS_PER_GROUP = 5
NOISE, COPIES = 0.15, 0.05
_CHUNK = 10_000


@dataclass(frozen=True)
class Planted:
    """Rows, and the cluster each was planted in (-1: none)."""

    rows: np.ndarray
    """Packed sign bits (uint8) or activations (float32)."""
    clusters: np.ndarray


def planted(n_rows: int, *, units: int, codes: bool, seed: int = 0) -> Planted:
    """The same rows for the same arguments, as codes or as activations.

    A mixture of Gaussians in 64 dimensions, one for every 40 rows, of unequal size (Dirichlet, 2) and unequal
    spread (0.2 to 0.8), in groups of five (groups 1 apart, clusters of a group 0.6); 15 % of the rows are
    drawn from the whole space. All pass a random layer with a bias. Then 5 % become copies of others.
    """
    rng = np.random.default_rng([seed, n_rows, units])
    n_clusters = max(n_rows // ROWS_PER_CLUSTER, 10)
    n_groups = n_clusters // CLUSTERS_PER_GROUP
    groups = rng.standard_normal((n_groups, DIMENSIONS))
    centres = groups[rng.integers(n_groups, size=n_clusters)]
    centres += 0.6 * rng.standard_normal((n_clusters, DIMENSIONS))
    spread = np.exp(rng.uniform(np.log(0.2), np.log(0.8), n_clusters))
    clusters = rng.choice(n_clusters, size=n_rows, p=rng.dirichlet(np.full(n_clusters, 2.0)))
    clusters[rng.random(n_rows) < NOISE] = -1
    inputs = rng.standard_normal((n_rows, DIMENSIONS))
    member = clusters >= 0
    inputs[member] = centres[clusters[member]] + spread[clusters[member], None] * inputs[member]
    weights = (rng.standard_normal((DIMENSIONS, units)) / DIMENSIONS**0.5).astype(np.float32)
    bias = (rng.standard_normal(units) / 2).astype(np.float32)
    pieces = []
    for start in range(0, n_rows, _CHUNK):
        before = inputs[start : start + _CHUNK].astype(np.float32) @ weights + bias
        pieces.append(np.packbits(before > 0, axis=1) if codes else np.maximum(before, 0))
    rows = np.concatenate(pieces)
    copied, source = rng.random(n_rows) < COPIES, rng.integers(n_rows, size=n_rows)
    rows[copied], clusters[copied] = rows[source[copied]], clusters[source[copied]]
    return Planted(rows, clusters)
