"""From a spanning tree to the canonical form of its hierarchy, and from there to the tree of its clusters."""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_for_many
from polylens.kernels.contraction import root_of


@compiled_for_many
def joined(
    left: np.ndarray, right: np.ndarray, height: np.ndarray, order: np.ndarray, gaps: np.ndarray
) -> bool:
    """Fills `order` and `gaps` (`records.Hierarchy`'s order and heights) from a spanning tree's edges.

    All edges of one height are taken together: the groups that they join are chained by their lowest row. A
    group is known by its lowest row, which is also the first of its chain.

    Args:
        left, right: row numbers.
        height: of the edges, rising.
        order, gaps: as many as rows, and one fewer.

    Returns:
        Whether the edges are a spanning tree; if not, what was filled means nothing.
    """
    rows = len(order)
    parent = np.arange(rows)
    last = np.arange(rows)
    following = np.full(rows, -1, dtype=np.int64)
    gap_after = np.zeros(rows)
    touched = np.empty(2 * len(height), dtype=np.int64)
    start = 0
    while start < len(height):
        stop = start + 1
        while stop < len(height) and height[stop] == height[start]:
            stop += 1
        count = 2 * (stop - start)
        for edge in range(start, stop):
            touched[2 * (edge - start)] = root_of(parent, left[edge])
            touched[2 * (edge - start) + 1] = root_of(parent, right[edge])
        if count > 2:
            touched[:count].sort()
        elif touched[0] > touched[1]:
            touched[0], touched[1] = touched[1], touched[0]
        for edge in range(start, stop):
            one, other = root_of(parent, left[edge]), root_of(parent, right[edge])
            if one == other:
                return False
            parent[max(one, other)] = min(one, other)
        before = -1
        for group in touched[:count]:
            if group == before:
                continue
            before = group
            whole = root_of(parent, group)
            if whole != group:
                following[last[whole]] = group
                gap_after[last[whole]] = height[start]
                last[whole] = last[group]
        start = stop
    row = 0
    for place in range(rows):
        if row < 0:
            return False
        order[place] = row
        if place < rows - 1:
            gaps[place] = gap_after[row]
        row = following[row]
    return True


@compiled
def _nodes(
    gaps: np.ndarray,
    height: np.ndarray,
    size: np.ndarray,
    above: np.ndarray,
    holder: np.ndarray,
    closed: np.ndarray,
) -> int:
    """The nodes of a hierarchy; as many children to a node as groups are joined at its height.

    Args:
        gaps: the hierarchy's heights.
        height, size, above: of the nodes, filled: height, rows, parent (-1 for the node of everything).
        holder: the node that each place of the order is a child of, filled.
        closed: the nodes, filled: backwards, parents come first, and children by their lowest row.

    Returns:
        How many nodes there are, at most as many as gaps.
    """
    open_nodes = np.empty(len(gaps) + 1, dtype=np.int64)  # by falling height: the left end is not reached yet
    depth = 0
    n_nodes = 0
    n_closed = 0
    for place in range(len(gaps), -1, -1):
        gap = gaps[place - 1] if place > 0 else np.inf
        node, end = -1, place + 1  # the row itself, then the node that ends here
        while depth > 0 and height[open_nodes[depth - 1]] < gap:
            depth -= 1
            closing = open_nodes[depth]
            if node < 0:
                holder[place] = closing
            else:
                above[node] = closing
            # Until it is closed, a node's size is the place behind its rows.
            node, end = closing, size[closing]
            size[closing] = end - place
            closed[n_closed] = closing
            n_closed += 1
        if place == 0:
            if node >= 0:
                above[node] = -1
            break
        if depth == 0 or height[open_nodes[depth - 1]] > gap:
            height[n_nodes] = gap
            size[n_nodes] = end
            open_nodes[depth] = n_nodes
            depth += 1
            n_nodes += 1
        if node < 0:
            holder[place] = open_nodes[depth - 1]
        else:
            above[node] = open_nodes[depth - 1]
    return n_nodes


@compiled_for_many
def condense(
    gaps: np.ndarray,
    order: np.ndarray,
    least: int,
    at_zero: float,
    parent: np.ndarray,
    birth: np.ndarray,
    death: np.ndarray,
    members: np.ndarray,
    stability: np.ndarray,
    row_node: np.ndarray,
    row_lambda: np.ndarray,
) -> int:
    """Fills the arrays of a `CondensedTree`; those of its nodes are larger than needed.

    Sums go down the heights of one cluster, so that they do not depend on how rows are numbered.

    Args:
        gaps, order: the hierarchy's heights and order.
        least: fewest rows of a cluster.
        at_zero: 1 / height where the height is 0.
        parent, birth, death, members, stability: of the clusters.
        row_node, row_lambda: of the rows.

    Returns:
        How many clusters there are, the root included.
    """
    most = max(len(gaps), 1)
    height, size = np.empty(most), np.empty(most, dtype=np.int64)
    above, holder = np.empty(most, dtype=np.int64), np.zeros(len(order), dtype=np.int64)
    closed = np.empty(most, dtype=np.int64)
    n_nodes = _nodes(gaps, height, size, above, holder, closed)

    large, large_rows = np.zeros(most, dtype=np.int64), np.zeros(most, dtype=np.int64)
    for node in range(n_nodes):
        if above[node] >= 0 and size[node] >= least:
            large[above[node]] += 1
            large_rows[above[node]] += size[node]

    parent[0], birth[0], death[0], members[0], stability[0] = -1, 0.0, 0.0, len(order), 0.0
    n_clusters = 1
    cluster = np.zeros(most, dtype=np.int64)
    falls_at = np.zeros(most)  # where the rows directly below a node leave their cluster
    whole = np.ones(most, dtype=np.bool_)  # whether a node still carries its cluster
    for number in range(n_nodes - 1, -1, -1):
        node = closed[number]
        up = above[node]
        if up >= 0:
            cluster[node] = cluster[up]
            if not whole[up] or size[node] < least:
                whole[node] = False
                falls_at[node] = falls_at[up]
                continue
            if large[up] > 1:
                parent[n_clusters], birth[n_clusters] = cluster[up], falls_at[up]
                members[n_clusters], stability[n_clusters] = size[node], 0.0
                cluster[node] = n_clusters
                n_clusters += 1
        own = cluster[node]
        falls_at[node] = 1.0 / height[node] if height[node] > 0.0 else at_zero
        leaving = size[node] - large_rows[node] if large[node] == 1 else size[node]
        stability[own] += leaving * (falls_at[node] - birth[own])
        death[own] = falls_at[node]
    for place in range(len(order)):
        row_node[order[place]] = cluster[holder[place]]
        row_lambda[order[place]] = falls_at[holder[place]]
    return n_clusters
