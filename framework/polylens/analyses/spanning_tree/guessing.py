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
"""Rows of the trial: enough for its time to be that of pairs, and over in a second."""
_SUBSAMPLE = 0.8
"""Share of the rows that a subsample has."""


def guess_seconds(analysis: SpanningTree, n_rows: int, *, columns: int) -> float:
    """Seconds for all trees, if pairs take as long as those of a few rows at random.

    Real rows take less where bounds rule pairs out, and codes of whole examples, whose pairs are counted once
    for all subsamples, do as well: the guess tells minutes from hours.

    Args:
        analysis: says the metric, the sample and the number of subsamples.
        n_rows: how many rows there will be.
        columns: of what is compared: numbers of activations, or bits.
    """
    metric = metric_of(analysis.on, analysis.metric)
    generator = np.random.default_rng(0)
    numbers = generator.random((_TRIED, max(columns, 1)), dtype=np.float32)
    points = np.packbits(numbers > 0.5, axis=1) if metric in ("hamming", "jaccard") else numbers
    points.setflags(write=False)  # as stored rows are: arrays that can be written are compiled for apart
    taken = []
    for _ in range(2):  # the first compiles
        started = time.perf_counter()
        hierarchy(points, metric=metric, min_samples=analysis.min_samples)
        taken.append(time.perf_counter() - started)
    compared = min(n_rows, analysis.sample or n_rows)
    return min(taken) * (compared / _TRIED) ** 2 * (1 + analysis.subsamples * _SUBSAMPLE**2)
