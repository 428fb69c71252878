"""Growing a spanning forest by edges that are known to be least."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_for_many


@compiled
def root_of(parent: np.ndarray, member: int) -> int:
    """The root of a member's tree in a union-find, whose paths are halved on the way."""
    while parent[member] != member:
        parent[member] = parent[parent[member]]
        member = parent[member]
    return member


@compiled_for_many
def roots(parent: np.ndarray) -> np.ndarray:
    """The root of every member."""
    found = np.empty(len(parent), dtype=np.int64)
    for member in range(len(parent)):
        found[member] = root_of(parent, member)
    return found


@compiled_for_many
def add_edges(
    ends: np.ndarray,
    least: np.ndarray,
    parent: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray,
    found: int,
) -> int:
    """Takes in edges between groups, except those that would close a circle, which weigh the same as another.

    Every edge is the least that leaves some group, or all are of one tree over the groups.

    Args:
        ends, least: the edges, `some 2`, and their weights.
        parent, edges, weights: union-find over rows, and the forest's edges; updated.
        found: edges the forest has.

    Returns:
        How many edges it has then.
    """
    for index in range(len(least)):
        a, b = root_of(parent, ends[index, 0]), root_of(parent, ends[index, 1])
        if a != b:
            parent[a] = b
            edges[found, 0], edges[found, 1] = ends[index, 0], ends[index, 1]
            weights[found] = least[index]
            found += 1
    return found


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

    An edge that is not listed leads from a row to one at least as far as its farthest listed neighbour. So
    where the least listed edge that leaves a group weighs no more than the least such bound of its rows, no
    edge that leaves the group weighs less, and it belongs to a minimum spanning tree.

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
    found = 0
    while True:
        least[:] = np.inf
        bound[:] = np.inf
        for row in range(n):
            group[row] = root_of(parent, row)
        for row in range(n):
            own = group[row]
            if not complete:
                bound[own] = min(bound[own], max(core[row], near[row, listed - 1]))
            for place in range(listed):
                other = who[row, place]
                if group[other] == own:
                    continue
                weight = max(core[row], core[other], near[row, place])
                if weight < least[own]:
                    least[own] = weight
                    ends[own, 0], ends[own, 1] = row, other
                if weight < least[group[other]]:
                    least[group[other]] = weight
                    ends[group[other], 0], ends[group[other], 1] = other, row
        before = found
        for own in range(n):
            if group[own] != own or least[own] == np.inf or least[own] > bound[own]:
                continue
            a, b = root_of(parent, ends[own, 0]), root_of(parent, ends[own, 1])
            if a != b:
                parent[a] = b
                edges[found, 0], edges[found, 1] = ends[own, 0], ends[own, 1]
                weights[found] = least[own]
                found += 1
        if found == before:
            return found
