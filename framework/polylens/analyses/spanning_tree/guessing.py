"""How long trees of many rows may take, before they are begun."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from polylens.analyses._partitions.spaces import metric_of
from polylens.clustering import hierarchy

if TYPE_CHECKING:
    from polylens.analyses.spanning_tree import SpanningTree

_TRIED = 2_048
"""Rows of the trial at most: enough for its time to be that of pairs, and over in a second."""
_FEWEST = 128
"""Rows of the trial at least: of fewer the time is not that of pairs."""
_NUMBERS = 1 << 25
"""Numbers, or bits, of the trial at most (134 MB in single precision)."""
_SUBSAMPLE = 0.8
"""Share of the rows that a subsample has."""


def guess_seconds(analysis: SpanningTree, n_rows: int, *, columns: int) -> float | None:
    """Seconds for all trees, if pairs take as long as those of a few rows at random.

    Real rows take less where bounds rule pairs out: the guess tells minutes from hours. None where rows are
    so wide that a trial of enough of them would be work of its own.

    Args:
        analysis: says the metric, the sample and the number of subsamples.
        n_rows: how many rows there will be.
        columns: of what is compared: numbers of activations, or bits.
    """
    tried = min(_TRIED, _NUMBERS // max(columns, 1))
    if tried < _FEWEST:
        return None
    metric = metric_of(analysis.on, analysis.metric)
    generator = np.random.default_rng(0)
    numbers = generator.random((tried, columns), dtype=np.float32)
    points = np.packbits(numbers > 0.5, axis=1) if metric in ("hamming", "jaccard") else numbers
    points.setflags(write=False)  # as stored rows are: arrays that can be written are compiled for apart
    taken = []
    for _ in range(2):  # the first compiles
        started = time.perf_counter()
        hierarchy(points, metric=metric, min_samples=analysis.min_samples)
        taken.append(time.perf_counter() - started)
    compared = min(n_rows, analysis.sample or n_rows)
    return min(taken) * (compared / tried) ** 2 * (1 + analysis.subsamples * _SUBSAMPLE**2)
