"""Growing a spanning forest by edges that are known to be least.

1. `contract` goes in rounds, as Boruvka does. In each it finds the group of every row, and the least listed
   edge that leaves each group, from the lists of nearest neighbours.
2. An edge that is not listed leads from a row to one at least as far as its farthest listed neighbour, and
   weighs at least the row's core distance. The least such bound over a group's rows bounds them all.
3. Where the least listed edge weighs no more than the bound, it is an edge of a minimum spanning tree (no
   edge that leaves the group weighs less), and joins the forest.
4. When a round adds nothing, the second pass (`between`) finds the edges that are left, and `add_edges`
   takes them in.

Invariants: every edge of the forest is one of a minimum spanning tree that holds the others too, so that
equal weights never close a circle: an edge whose ends are connected by then is passed over. A row's root is
found by halving paths, and never by rank: it is the partition that counts, not who stands for a group.

Cost: a round takes `rows neighbours`; groups at least halve where all of them find an edge. Memory: a few
numbers a row.

Source: Boruvka 1926; Tarjan and van Leeuwen 1984, "Worst-case analysis of set union algorithms", for halving.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_for_many


@compiled
def root_of(parent: np.ndarray, member: int) -> int:
    """The root of a member's tree in a union-find, whose paths are halved on the way."""
    while parent[member] != member:
        # Every second link skips one from now on: paths shrink without a second way along them.
        parent[member] = parent[parent[member]]
        member = parent[member]
    return member


@compiled_for_many
def roots(parent: np.ndarray) -> np.ndarray:
    """The root of every member."""
    root = np.empty(len(parent), dtype=np.int64)
    for member in range(len(parent)):
        root[member] = root_of(parent, member)
    return root


@compiled_for_many
def add_edges(
    ends: np.ndarray,
    least: np.ndarray,
    parent: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray,
    n_edges: int,
) -> int:
    """Takes in edges between groups, except those that would close a circle, which weigh the same as another.

    Every edge is the least that leaves some group, or all are of one tree over the groups.

    Args:
        ends, least: the edges, `some 2`, and their weights.
        parent, edges, weights: union-find over rows, and the forest's edges; updated.
        n_edges: how many edges the forest has.

    Returns:
        How many edges it has then.
    """
    for index in range(len(least)):
        a, b = root_of(parent, ends[index, 0]), root_of(parent, ends[index, 1])
        # Two groups may have chosen one edge, or edges of equal weight that would close a circle.
        if a != b:
            parent[a] = b
            edges[n_edges, 0], edges[n_edges, 1] = ends[index, 0], ends[index, 1]
            weights[n_edges] = least[index]
            n_edges += 1
    return n_edges


@compiled
def contract(
    near: np.ndarray,
    who: np.ndarray,
    core: np.ndarray,
    complete: bool,
    parent: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray,
) -> int:
    """Boruvka's rounds over the edges to nearest neighbours, as far as these are provably least.

    Args:
        near, who: distances and rows of each row's nearest, by rising distance.
        core: core distances.
        complete: whether every other row is listed, so that there is nothing unlisted to bound.
        parent: union-find over rows, updated: the groups.
        edges, weights: `rows - 1` by 2, and as many weights; filled from the start.

    Returns:
        How many edges were found.
    """
    n, listed = near.shape
    group = np.empty(n, dtype=np.int64)
    bound = np.empty(n)
    least = np.empty(n)
    ends = np.empty((n, 2), dtype=np.int64)
    n_edges = 0
    while True:
        # Found anew in each round: what was the least edge of a group may lie inside it by now.
        least[:] = np.inf
        bound[:] = np.inf
        for row in range(n):
            group[row] = root_of(parent, row)
        # Groups as they were when the round began: what joins meanwhile would leave no edge the least of any.
        for row in range(n):
            own = group[row]
            # What is not listed is no nearer than the last listed one, and weighs no less than the row's
            # core.
            if not complete:
                bound[own] = min(bound[own], max(core[row], near[row, listed - 1]))
            for rank in range(listed):
                neighbour = who[row, rank]
                if group[neighbour] == own:
                    continue
                weight = max(core[row], core[neighbour], near[row, rank])
                if weight < least[own]:
                    least[own] = weight
                    ends[own, 0], ends[own, 1] = row, neighbour
                # Being among the nearest is not mutual: the edge counts for the neighbour's group as well.
                if weight < least[group[neighbour]]:
                    least[group[neighbour]] = weight
                    ends[group[neighbour], 0], ends[group[neighbour], 1] = neighbour, row
        before = n_edges
        for own in range(n):
            # One line a group, at its root; an edge above the bound may not be the least that leaves it.
            if group[own] != own or least[own] == np.inf or least[own] > bound[own]:
                continue
            n_edges = _take(ends[own, 0], ends[own, 1], least[own], parent, edges, weights, n_edges)
        if n_edges == before:
            return n_edges


@compiled
def _take(
    row: int,
    neighbour: int,
    weight: float,
    parent: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray,
    n_edges: int,
) -> int:
    """Adds an edge to the forest unless its ends are connected already; how many edges there are then."""
    a, b = root_of(parent, row), root_of(parent, neighbour)
    if a == b:
        return n_edges
    parent[a] = b
    edges[n_edges, 0], edges[n_edges, 1] = row, neighbour
    weights[n_edges] = weight
    return n_edges + 1
