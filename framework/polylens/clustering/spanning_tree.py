"""Exact spanning trees of mutual reachability, in memory that grows with the rows alone.

One pass over all pairs finds the nearest neighbours of every row, and so its core distance. Of the edges to
them, those that are provably least grow a spanning forest (Boruvka). A second pass finds the least edges
between the groups left, if any: between every two of them where they are few, else out of each, and again. In
many dimensions core distances decide most edges, and often the first pass is enough. Copies of a row are one
row that counts several times (`copies`).
"""

from __future__ import annotations

import sys
from contextlib import nullcontext

import numpy as np
from jaxtyping import Float64

from polylens.clustering.blocks import one_thread_a_product
from polylens.clustering.checks import check_min_samples, check_points
from polylens.clustering.copies import Copies
from polylens.clustering.forest import Forest
from polylens.clustering.groups import KnownEdges
from polylens.clustering.keeping import Forgetful, PartKeeper
from polylens.clustering.linking import canonical
from polylens.clustering.pair_counts import CountedSpace, PairCounts, is_wide
from polylens.clustering.passes import Passes, TiledPasses
from polylens.clustering.points import Metric, Points
from polylens.clustering.processes import Processes
from polylens.devices import fitting_device, torch_threads
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.records import Hierarchy

_NEIGHBOURS = 16
"""Neighbours kept of every row at least: the more, the fewer groups are left to the second pass."""


def hierarchy(
    points: Points,
    *,
    metric: Metric,
    min_samples: int = 5,
    bits: int | None = None,
    device: str | None = None,
    keeper: PartKeeper | None = None,
    progress: Progress | None = None,
) -> Hierarchy:
    """The single linkage of points by mutual reachability, exact.

    Packed rows that are wider than they are many (`pair_counts.is_wide`) are read once, a piece of their
    columns at a time, and their distances counted on the processor.

    Mutual reachability of two rows is the largest of their distance and of their core distances (to the
    `min_samples`-th neighbour, the row itself counted). Where a `torch.distributed` group is set up, every
    process of it must ask for the same, and the pairs are shared among them.

    Time is that of one or two passes over all pairs of distinct rows; memory is that of the points, of the
    distinct ones where many are copies, and about 300 bytes a row.

    Args:
        points: activations or graded codes, bits, or packed bits.
        metric: how rows are compared; it must fit the points.
        min_samples: neighbours that make a core point.
        bits: how many bits of a packed row count, where padding stands among them; None counts 8 a byte.
        device: `cpu` or a torch device; where None, a GPU that there is takes many rows.
        keeper: where finished passes are kept, so that after an interrupt the same call goes on.
        progress: where the work shows itself.

    Raises:
        DataError: points of another type, fewer rows than `min_samples`, a single row, no columns, NaN or
            infinity, a metric that does not fit the points, or a device that is not there.

    Source: Campello, Moulavi, Sander (2013) for mutual reachability; Boruvka (1926).
    """
    check_min_samples(min_samples)
    check_points(
        points, metric=metric, bits=bits, at_least=min_samples, because=f"min_samples is {min_samples}"
    )
    if points.dtype == np.float32:  # sums go along the memory, and their last digits should not depend on it
        points = np.ascontiguousarray(points)
    bits = bits or points.shape[1] * (8 if points.dtype == np.uint8 else 1)
    if points.dtype == np.uint8 and device is None and is_wide(*points.shape):
        counted = PairCounts.of(points, progress=progress)
        return counted_hierarchy(
            counted, metric=metric, min_samples=min_samples, bits=bits, keeper=keeper, progress=progress
        )
    copies = Copies.of(points)
    distinct = copies.distinct(points)
    with one_thread_a_product(distinct):
        passes = passes_of(distinct, metric=metric, bits=bits, device=_device(device, rows=len(distinct)))
        with torch_threads(1) if "torch" in sys.modules else nullcontext():  # its products have threads too
            forest, core = spanning_forest(
                passes,
                copies=copies,
                min_samples=min_samples,
                keeper=keeper or Forgetful(),
                progress=progress or Silent(),
            )
    return _linked(forest, core, copies, passes, metric=metric, min_samples=min_samples, bits=bits)


def counted_hierarchy(
    counted: PairCounts,
    *,
    metric: Metric,
    min_samples: int,
    bits: int,
    keeper: PartKeeper | None = None,
    progress: Progress | None = None,
) -> Hierarchy:
    """The same of rows whose distances have been counted already; arguments as of `hierarchy`.

    Raises:
        DataError: fewer rows than `min_samples`, or a metric that is none of bits.
    """
    check_min_samples(min_samples)
    if metric != "hamming" and metric != "jaccard":
        raise DataError(f"metric '{metric}' does not fit bits", hint="use hamming or jaccard")
    if len(counted) < max(min_samples, 2):
        raise DataError(f"{len(counted)} rows are too few to cluster: min_samples is {min_samples}")
    passes = TiledPasses(CountedSpace(counted, bits=bits, metric=metric))
    copies = Copies.none(len(counted))
    forest, core = spanning_forest(
        passes,
        copies=copies,
        min_samples=min_samples,
        keeper=keeper or Forgetful(),
        progress=progress or Silent(),
    )
    return _linked(forest, core, copies, passes, metric=metric, min_samples=min_samples, bits=bits)


def _linked(
    forest: Forest,
    core: Float64[np.ndarray, "distinct"],
    copies: Copies,
    passes: Passes,
    *,
    metric: Metric,
    min_samples: int,
    bits: int,
) -> Hierarchy:
    edges, weights = copies.spread(forest.edges, forest.weights, core)
    left, right = np.ascontiguousarray(edges.T)
    return canonical(
        left,
        right,
        passes.in_units(weights),
        core=passes.in_units(core)[copies.of_row],
        metric=metric,
        min_samples=min_samples,
        bits=bits if metric == "hamming" else None,
    )


def _device(asked: str | None, *, rows: int) -> str:
    """The device asked for, or the fitting one; the processor where any process of a group has no other.

    The pairs are shared out in another way on each, so that all processes must work alike.
    """
    found = asked or fitting_device(rows)
    return found if all(Processes.here().each(int(found != "cpu"))) else "cpu"


def passes_of(points: Points, *, metric: Metric, bits: int, device: str) -> Passes:
    """The passes that fit the points' type and the device."""
    if device != "cpu":
        from polylens.clustering.torch_passes import TorchPasses

        return TorchPasses(points, metric=metric, bits=bits, device=device)
    if metric == "hamming" or metric == "jaccard":
        from polylens.clustering.bit_space import BitSpace

        return TiledPasses(BitSpace.of(points, bits=bits, metric=metric))
    from polylens.clustering.dense_space import DenseSpace

    return TiledPasses(DenseSpace.of(points, metric=metric))


def spanning_forest(
    passes: Passes, *, copies: Copies, min_samples: int, keeper: PartKeeper, progress: Progress
) -> tuple[Forest, Float64[np.ndarray, "distinct"]]:
    """A minimum spanning tree and core distances of distinct rows, in the passes' own unit.

    What was kept is not redone.
    """
    processes, rows = Processes.here(), len(copies.first)
    kept = keeper.load("groups")
    if kept is not None and len(kept["core"]) != rows:  # by an earlier version, which knew no copies
        kept = None
    # An interrupt may come between what two processes keep: they go on from one state, or start again.
    same = len(set(processes.each(-1 if kept is None else int(kept["found"])))) == 1
    if kept is not None and same:
        forest, core, floor = Forest.from_arrays(kept), kept["core"], kept["floor"]
        known = KnownEdges(kept["known"], kept["known_weights"])
    else:
        neighbours = min(max(min_samples - 1, _NEIGHBOURS), rows - 1)
        nearest = passes.nearest(neighbours, processes, progress)
        core = copies.core(nearest, min_samples)
        forest = Forest.of(rows)
        forest.contract(nearest, core)
        floor, known = np.maximum(core, nearest.distances[:, -1]), forest.known(nearest, core)
        del nearest
    while not forest.is_tree:
        listed = {"floor": floor, "known": known.rows, "known_weights": known.weights}
        keeper.save("groups", forest.arrays() | {"core": core} | listed)
        groups = forest.groups(core, floor, known)
        forest.join(groups, passes.least(groups, processes, progress))
    return forest, core
