"""Spanning trees of all rows and of subsamples, each made once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from polylens.analyses._partitions.spaces import Metric, metric_for
from polylens.analyses._partitions.stability import common_subsamples, sampled_rows
from polylens.clustering import (
    PairCounts,
    Points,
    counted_hierarchy,
    hierarchy,
    is_wide,
    row_bits,
    row_points,
)
from polylens.progress import Progress
from polylens.records import Findings, Hierarchy, Number, Rows, Subhierarchy
from polylens.streams import Streams
from polylens.work import Keeper

if TYPE_CHECKING:
    from polylens.analyses.spanning_tree import SpanningTree

_WORTH_KEEPING = 10_000
"""Rows from which on a tree takes longer to make than to keep."""


def spanning_tree_findings(
    analysis: SpanningTree, rows: Rows, *, streams: Streams, progress: Progress, keeper: Keeper | None
) -> Findings:
    """The hierarchy of all rows and those of the subsamples."""
    given = row_points(rows, on=analysis.on, scale=analysis.scale, packed=True)
    bits, metric = row_bits(rows, on=analysis.on), metric_for(rows, on=analysis.on, metric=analysis.metric)
    sample = sampled_rows(rows, most=analysis.sample, streams=streams)
    drawn = common_subsamples(
        rows, count=analysis.subsamples, streams=streams, at_least=max(analysis.min_samples, 2), among=sample
    )
    subs: list[Subhierarchy] = []
    points: Points | PairCounts = given
    if given.dtype == np.uint8 and is_wide(len(sample), given.shape[1]):
        # Subsamples share their pairs with all rows, which are read and counted once.
        points = PairCounts.of(given, chosen=sample, progress=progress)
    elif len(sample) < len(rows):
        points = given[sample]
    make = partial(_tree, metric=metric, min_samples=analysis.min_samples, bits=bits, progress=progress)
    with progress.task("spanning trees", total=1 + len(drawn), unit="trees") as task:
        whole = make(points, keeper=keeper)
        task.advance()
        for number, chosen in drawn.items():
            kept = None if keeper is None else keeper.part(f"subsample_{number}")
            index = np.searchsorted(sample, chosen)
            subs.append(Subhierarchy(chosen, make(_some(points, index), keeper=kept)))
            task.advance()
    return Findings(numbers=_numbers(whole), hierarchy=whole, subhierarchies=tuple(subs))


def _some(points: Points | PairCounts, index: Int64[np.ndarray, "chosen"]) -> Points | PairCounts:
    return points.take(index) if isinstance(points, PairCounts) else points[index]


def _tree(
    points: Points | PairCounts,
    *,
    metric: Metric,
    min_samples: int,
    bits: int | None,
    keeper: Keeper | None,
    progress: Progress,
) -> Hierarchy:
    """One tree; a large one that was finished before an interrupt is not made again."""
    if isinstance(points, PairCounts):
        assert bits is not None  # only bits are counted
        return counted_hierarchy(points, metric=metric, min_samples=min_samples, bits=bits, progress=progress)
    if keeper is None or len(points) < _WORTH_KEEPING:
        return hierarchy(points, metric=metric, min_samples=min_samples, bits=bits, progress=progress)
    kept = keeper.load("tree")
    if kept is not None:
        return Hierarchy(
            **kept, metric=metric, min_samples=min_samples, bits=bits if metric == "hamming" else None
        )
    made = hierarchy(
        points, metric=metric, min_samples=min_samples, bits=bits, keeper=keeper, progress=progress
    )
    keeper.save("tree", {"order": made.order, "heights": made.heights, "core": made.core})
    return made


def _numbers(hierarchy: Hierarchy) -> dict[str, Number]:
    heights = np.sort(hierarchy.heights)
    tied = np.zeros(len(heights), dtype=bool)
    equal = heights[1:] == heights[:-1]
    tied[1:] |= equal
    tied[:-1] |= equal
    return {
        "tied_fraction": Number(float(tied.mean())),
        "zero_fraction": Number(float((heights == 0).mean())),
        "median_height": Number(float(np.median(heights)), unit=hierarchy.metric),
        "median_core_distance": Number(float(np.median(hierarchy.core)), unit=hierarchy.metric),
    }
