"""Passes over all pairs of rows on the processor: tile by tile, on every core."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from polylens.clustering.blocks import Pair, most_threads, over_pairs
from polylens.clustering.groups import Groups, OpenRows
from polylens.clustering.processes import Processes
from polylens.clustering.spaces import Least, Nearest, Space
from polylens.cores import cores
from polylens.progress import Progress

_EDGE_BYTES = 24
"""A weight and two rows."""
_PAIRS_BYTES = 1 << 28
"""Memory for the least edges between every two groups, over all threads."""


@runtime_checkable
class Passes(Protocol):
    """What a spanning tree asks of rows and a device. Distances are in a unit of the rows' own."""

    def nearest(self, neighbours: int, processes: Processes, progress: Progress) -> Nearest:
        """The nearest neighbours of every row, over all pairs."""

    def least(self, groups: Groups, processes: Processes, progress: Progress) -> Least:
        """The least edges of mutual reachability between every two groups, or out of each, over all pairs."""

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Distances of the rows' own unit in the metric's."""


class TiledPasses:
    """Passes over a space whose pairs of blocks are looked at side by side."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def nearest(self, neighbours: int, processes: Processes, progress: Progress) -> Nearest:
        """The nearest neighbours of every row; each pair is measured once, for both of its rows."""
        blocks = self._space.blocks
        nearest = Nearest.none_yet(self._space.reach(neighbours), neighbours)

        def offer(pair: Pair, _: int) -> None:
            self._space.offer(blocks.span(pair[0]), blocks.span(pair[1]), nearest)

        over_pairs(blocks, offer, title="nearest neighbours", processes=processes, progress=progress)
        return self._space.by_rows(nearest.with_those_of(processes))

    def least(self, groups: Groups, processes: Processes, progress: Progress) -> Least:
        """The least edges between groups; every thread keeps its own, which are then merged."""
        each_two = groups.count**2 * _EDGE_BYTES * most_threads() <= _PAIRS_BYTES
        known = Least.known(groups, each_two=each_two)
        kept = [known.copy() for _ in range(cores())]
        space = self._space.reorder(groups.order)
        blocks = space.blocks
        rows = OpenRows.of(groups, known.weight, blocks)

        def keep(pair: Pair, worker: int) -> None:
            space.keep_least(blocks.span(pair[0]), blocks.span(pair[1]), rows, kept[worker])

        title = f"edges between {groups.count:,} groups"
        over_pairs(blocks, keep, title=title, processes=processes, progress=progress)
        return Least.of_all(kept).with_those_of(processes)

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Distances of the space's own unit in the metric's."""
        return self._space.in_units(distances)
