"""Rows in groups, and which of them an edge between groups may still come from.

The lists of nearest neighbours that the first pass leaves tell more than the edges that are provably least:

1. Listed edges between groups, as few as connect what all of them connect (Kruskal), are known edges. Where a
   path of them leads from one group to another, a new edge between the two is of use only if it weighs less
   than the heaviest edge of the path: else it would be the heaviest of a circle.
2. What is not listed of a row is no nearer than the last that is, so that a new edge of the row weighs at
   least that, and at least its core distance: its floor.
3. A row is open to a block of rows where its floor is below what an edge to some group of the block must stay
   below. Groups stand in the order in which known edges connect them, and the rows of a group by rising
   floor, so that few blocks have open rows for each other.

Invariant: the known edges and those that open rows hold have a minimum spanning tree of all groups.

Cost: known edges are sorted once, and meet `groups^2` numbers. Memory: these, for `blocks groups` limits.

Source: Kruskal 1956; the property of circles after Tarjan 1983, "Data structures and network algorithms".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.blocks import Blocks


@dataclass(frozen=True)
class KnownEdges:
    """Edges by rising weight that close no circle."""

    rows: Int64[np.ndarray, "edges 2"]
    weights: Float64[np.ndarray, "edges"]

    def between(self, parent: Int64[np.ndarray, "rows"]) -> KnownEdges:
        """Those that connect the groups of a union-find; of several that would close a circle the least."""
        from polylens.kernels.contraction import add_edges

        rows, weights = np.empty_like(self.rows), np.empty_like(self.weights)
        count = add_edges(self.rows, self.weights, parent.copy(), rows, weights, 0)
        return KnownEdges(rows[:count], weights[:count])


@dataclass(frozen=True)
class Groups:
    """Rows in groups, those of one group together, by rising floor."""

    order: Int64[np.ndarray, "rows"]
    """The row at each place."""
    core: Float64[np.ndarray, "rows"]
    """Core distances by place, in the space's own unit."""
    floor: Float64[np.ndarray, "rows"]
    """By place, what an edge to another group weighs at least where it is not listed."""
    group: Int64[np.ndarray, "rows"]
    """Groups by place, rising."""
    known: KnownEdges
    """Edges between the groups."""
    joined: Int64[np.ndarray, "edges 2"]
    """The groups that each of them joins."""

    @classmethod
    def of(
        cls,
        roots: Int64[np.ndarray, "rows"],
        *,
        core: Float64[np.ndarray, "rows"],
        floor: Float64[np.ndarray, "rows"],
        known: KnownEdges,
    ) -> Groups:
        """Rows of equal roots are a group; groups that a light edge joins stand near each other."""
        _, group = np.unique(roots, return_inverse=True)
        rank = _near_together(group[known.rows], count=int(group.max()) + 1)
        group = rank[group]
        order = np.lexsort((floor, group)).astype(np.int64)
        return cls(order, core[order], floor[order], group[order], known, group[known.rows])

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self.group[-1]) + 1


@dataclass(frozen=True)
class OpenRows:
    """The rows of two blocks that an edge between groups may still come from."""

    groups: Groups
    limits: Float64[np.ndarray, "blocks groups_or_1"]
    """What an edge from each group to some other group of each block must weigh less than."""
    size: int
    """Rows of a block."""

    @classmethod
    def of(cls, groups: Groups, weight: Float64[np.ndarray, "groups slots"], blocks: Blocks) -> OpenRows:
        """Open rows where edges must weigh less than `weight`, of each two groups or out of each group."""
        spans = [groups.group[blocks.span(block)] for block in range(blocks.count)]
        if weight.shape[1] == 1:
            # Either of the two groups may gain.
            limits = np.array([[weight.max()] for _ in spans])
        else:
            between = weight.copy()
            np.fill_diagonal(between, -1.0)
            limits = np.array([between[:, np.unique(span)].max(1) for span in spans])
        return cls(groups, limits, blocks.size)

    def between(
        self, first: slice, second: slice
    ) -> tuple[Int64[np.ndarray, "some"], Int64[np.ndarray, "others"]]:
        """The places of either block whose rows are open to the other."""
        return self._open(first, to=second), self._open(second, to=first)

    def _open(self, places: slice, *, to: slice) -> Int64[np.ndarray, "some"]:
        limits = self.limits[to.start // self.size]
        of_row = limits[self.groups.group[places]] if len(limits) > 1 else limits
        return np.asarray(np.flatnonzero(self.groups.floor[places] < of_row) + places.start)


def path_weights(
    joined: Int64[np.ndarray, "edges 2"], weights: Float64[np.ndarray, "edges"], *, count: int
) -> Float64[np.ndarray, "groups groups"]:
    """The heaviest edge on the path between each two groups; infinite where there is none, or for itself.

    Edges rise, and close no circle.

    >>> path_weights(np.array([[0, 1], [1, 2]]), np.array([3.0, 5.0]), count=3).tolist()
    [[inf, 3.0, 5.0], [3.0, inf, 5.0], [5.0, 5.0, inf]]
    """
    heaviest = np.full((count, count), np.inf)
    part = np.arange(count)
    for (a, b), weight in zip(joined, weights, strict=True):
        ours, theirs = np.flatnonzero(part == part[a]), np.flatnonzero(part == part[b])
        heaviest[np.ix_(ours, theirs)] = weight
        heaviest[np.ix_(theirs, ours)] = weight
        part[theirs] = part[a]
    return heaviest


def _near_together(joined: Int64[np.ndarray, "edges 2"], *, count: int) -> Int64[np.ndarray, "groups"]:
    """The rank of each group in an order that has together what each edge connects, the first edges first."""
    parts = {group: [group] for group in range(count)}
    part_of = list(range(count))
    for a, b in joined.tolist():
        large, small = sorted((part_of[a], part_of[b]), key=lambda part: -len(parts[part]))
        moved = parts.pop(small)  # the smaller one moves: a group moves seldom
        for group in moved:
            part_of[group] = large
        parts[large] += moved
    rank = np.empty(count, dtype=np.int64)
    rank[[group for part in parts.values() for group in part]] = np.arange(count)
    return rank
