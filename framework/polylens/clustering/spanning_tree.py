"""Exact spanning trees of mutual reachability, in memory that grows with the rows alone.

One pass over all pairs finds the nearest neighbours of every row, and so its core distance. Of the edges to them, those
that are provably least grow a spanning forest (Boruvka). A second pass finds the least edges between the groups
left, if any: between every two of them where they are few, else out of each, and again. In many dimensions core
distances decide most edges, and often the first pass is enough.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from polylens.clustering.blocks import Pair, over_pairs, threads
from polylens.clustering.checks import check_bits, check_metric, check_points
from polylens.clustering.forest import Forest
from polylens.clustering.linking import canonical
from polylens.clustering.points import Metric, Points
from polylens.clustering.processes import Processes
from polylens.clustering.spaces import Groups, Least, Nearest, Space
from polylens.progress import Progress, Silent
from polylens.records import Hierarchy

_NEIGHBOURS = 16
"""Neighbours kept of every row at least: the more, the fewer groups are left to the second pass."""
_EDGE_BYTES = 24
"""A weight and two rows."""
_PAIRS_BYTES = 1 << 28
"""Memory for the least edges between every two groups, over all threads."""

Core = Float64[np.ndarray, "rows"]


def hierarchy(
    points: Points,
    *,
    metric: Metric,
    min_samples: int = 5,
    bits: int | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> Hierarchy:
    """The single linkage of points by mutual reachability, exact.

    Mutual reachability of two rows is the largest of their distance and of their core distances (to the
    `min_samples`-th neighbour, the row itself counted). Where a `torch.distributed` group is set up, every process
    of it must ask for the same, and the pairs are shared among them.

    Time is that of one or two passes over all pairs; memory is that of the points and about 300 bytes a row.

    Args:
        points: activations or graded codes, bits, or packed bits.
        metric: how rows are compared; it must fit the points.
        min_samples: neighbours that make a core point.
        bits: of a row of packed bits, where padding stands among them; 8 a byte where None.
        device: `cpu` or a torch device; where None, a GPU that there is takes many rows.
        progress: where the work shows itself.

    Raises:
        DataError: fewer rows than `min_samples`, a single row, no columns, NaN or infinity, or a metric that
            does not fit the points.

    Source: Campello, Moulavi, Sander (2013) for mutual reachability; Boruvka (1926).
    """
    check_metric(points, metric)
    check_bits(points, bits)
    check_points(points, at_least=min_samples, because=f"min_samples is {min_samples}")
    from threadpoolctl import threadpool_limits

    # Every core has a thread of its own already.
    with threadpool_limits(limits=1, user_api="blas"):
        space = _space(points, metric, bits)
        forest, core = _tree(space, len(points), min_samples, progress or Silent())
    left, right = np.ascontiguousarray(forest.edges.T)
    heights, core = space.in_units(forest.weights), space.in_units(core)
    return canonical(left, right, heights, core=core, metric=metric, min_samples=min_samples)


def _space(points: Points, metric: Metric, bits: int | None) -> Space:
    if metric == "hamming" or metric == "jaccard":
        from polylens.clustering.bit_space import BitSpace

        width = points.shape[1] * (8 if points.dtype == np.uint8 else 1)
        return BitSpace.of(points, bits=width if bits is None else bits, metric=metric)
    from polylens.clustering.dense_space import DenseSpace

    return DenseSpace(points, metric=metric)


def _tree(space: Space, rows: int, min_samples: int, progress: Progress) -> tuple[Forest, Core]:
    """A minimum spanning tree, and core distances, in the space's own unit."""
    processes = Processes.here()
    neighbours = min(max(min_samples - 1, _NEIGHBOURS), rows - 1)
    nearest = _nearest(space, rows, neighbours, processes, progress)
    core = nearest.distances[:, min_samples - 2].copy() if min_samples > 1 else np.zeros(rows)
    forest = Forest.of(rows)
    forest.contract(nearest, core)
    del nearest
    while not forest.is_tree:
        groups = forest.groups(core)
        forest.join(groups, _least(space.sorted_by(groups.order), groups, processes, progress))
    return forest, core


def _nearest(space: Space, rows: int, neighbours: int, processes: Processes, progress: Progress) -> Nearest:
    """The nearest neighbours of every row, over all pairs."""
    nearest = Nearest.none_yet(rows, neighbours)
    blocks = space.blocks

    def offer(pair: Pair, _: int) -> None:
        space.offer(blocks.span(pair[0]), blocks.span(pair[1]), nearest)

    over_pairs(blocks, offer, title="nearest neighbours", processes=processes, progress=progress)
    return nearest.with_those_of(processes)


def _least(space: Space, groups: Groups, processes: Processes, progress: Progress) -> Least:
    """The least edges between groups, over all pairs; every thread keeps its own, which are then merged."""
    each_two = groups.count**2 * _EDGE_BYTES * threads() <= _PAIRS_BYTES
    kept = [Least.none_yet(groups.count, each_two=each_two) for _ in range(threads())]
    blocks = space.blocks

    def keep(pair: Pair, worker: int) -> None:
        space.keep_least(blocks.span(pair[0]), blocks.span(pair[1]), groups, kept[worker])

    title = f"edges between {groups.count:,} groups"
    over_pairs(blocks, keep, title=title, processes=processes, progress=progress)
    return Least.of_all(kept).with_those_of(processes)
