"""From a spanning tree to the canonical form of its hierarchy, and from there to the tree of its clusters.

1. `chain_groups` takes the edges by rising height, all of one height together, and joins the groups at
   their ends. Each group is a chain of rows; chains that meet are put one after the other, by their lowest
   rows, with the height in the gap between them.
2. The last chain is the canonical form: one order of the rows, and one height between each two neighbours.
   All minimum spanning trees have the same groups at every height, and so the same form.
3. `condense` reads the form backwards with a stack: a gap higher than the open nodes closes them, as
   brackets close, and an equal one is one more child of the same node.
4. From the top down it leaves out parts of fewer rows than `least`: where two or more large parts meet,
   each begins a cluster; where one does, the cluster goes on in it.

Invariants: a group is known by its lowest row, the first of its chain; heights of open nodes fall strictly up
the stack; a cluster's number is above its parent's. Sums of stability run down the heights of one cluster, so
that they do not depend on how rows are numbered.

Cost: O(rows) and the sorting of equal heights; memory for some ten numbers a row.

Source: Campello, Moulavi, Sander 2013, algorithm 1, step 4.2, which removes edges of equal weight at once;
Campello, Moulavi, Zimek, Sander 2015, the condensed tree and its stabilities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from polylens.kernels.compiling import compiled, compiled_for_many
from polylens.kernels.contraction import root_of


class Nodes(NamedTuple):
    """The nodes of a hierarchy; as many children to a node as groups are joined at its height."""

    height: np.ndarray
    """`nodes`, float64: at which a node's parts are joined."""
    size: np.ndarray
    """`nodes`, int64: rows."""
    above: np.ndarray
    """`nodes`, int64: the parent; NO_NODE for the node of everything."""
    holder: np.ndarray
    """`rows`, int64: the node that each place of the order is a child of."""
    closed: np.ndarray
    """`nodes`, int64: the nodes in the order in which they end. Backwards, parents come first, and children
    by their lowest row."""


class ClusterColumns(NamedTuple):
    """The columns of `clustering.condensing.CondensedTree` that go by cluster, with room for more; filled."""

    parent: np.ndarray
    """`clusters`, int64: -1 for the root."""
    birth: np.ndarray
    """`clusters`, float64: lambda (1 / height) at which it splits off its parent."""
    death: np.ndarray
    """`clusters`, float64: lambda at which it splits, or its last rows leave."""
    size: np.ndarray
    """`clusters`, int64: rows at birth."""
    stability: np.ndarray
    """`clusters`, float64: sum over its rows of lambda at leaving less lambda at birth."""


class RowColumns(NamedTuple):
    """The columns of `clustering.condensing.CondensedTree` that go by row; filled."""

    node: np.ndarray
    """`rows`, int64: the deepest cluster that each row is ever in."""
    leaving: np.ndarray
    """`rows`, float64: lambda at which it leaves that cluster."""


NO_NODE = -1
"""In place of a node: a single row, or what would lie above everything."""


@compiled_for_many
def chain_groups(
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
        # The groups before this height joins any, each known by its lowest row.
        count = 2 * (stop - start)
        for edge in range(start, stop):
            touched[2 * (edge - start)] = root_of(parent, left[edge])
            touched[2 * (edge - start) + 1] = root_of(parent, right[edge])
        # Nearly all heights have one edge: two numbers are put in order without calling a sort.
        if count > 2:
            touched[:count].sort()
        elif touched[0] > touched[1]:
            touched[0], touched[1] = touched[1], touched[0]
        for edge in range(start, stop):
            a, b = root_of(parent, left[edge]), root_of(parent, right[edge])
            # A circle: what was given is no tree.
            if a == b:
                return False
            # The lowest row stands for the group, whatever that does to the depth of the union-find.
            parent[max(a, b)] = min(a, b)
        # Rising, so that chains are put one after the other by their lowest rows.
        previous = -1
        for group in touched[:count]:
            # Listed once for each of its edges.
            if group == previous:
                continue
            previous = group
            whole = root_of(parent, group)
            if whole != group:
                following[last[whole]] = group
                gap_after[last[whole]] = height[start]
                last[whole] = last[group]
        start = stop
    # Row 0 is the lowest of all: what its chain does not reach is not connected.
    row = 0
    for index in range(rows):
        if row < 0:
            return False
        order[index] = row
        if index < rows - 1:
            gaps[index] = gap_after[row]
        row = following[row]
    return True


@compiled
def _find_nodes(gaps: np.ndarray, nodes: Nodes) -> int:
    """Fills the nodes of a hierarchy from its heights, with a stack of those whose left end is still to come.

    Returns:
        How many nodes there are, at most as many as gaps.
    """
    height, size, above, holder, closed = nodes.height, nodes.size, nodes.above, nodes.holder, nodes.closed
    open_nodes = np.empty(len(gaps) + 1, dtype=np.int64)  # by falling height: the left end is not reached yet
    depth = 0
    n_nodes = 0
    n_closed = 0
    for place in range(len(gaps), -1, -1):
        gap = gaps[place - 1] if place > 0 else np.inf
        node, end = NO_NODE, place + 1  # the row itself, then the node that ends here
        # A gap higher than a node is the left end of that node.
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
                above[node] = NO_NODE
            break
        # A gap as high as the node on top is one more child of it; a lower one opens a node inside.
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


@compiled
def _count_large_parts(nodes: Nodes, n_nodes: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    """How many parts of each node have `least` rows or more, and how many rows these have together."""
    size, above = nodes.size, nodes.above
    large, large_rows = np.zeros(len(size), dtype=np.int64), np.zeros(len(size), dtype=np.int64)
    # Single rows are no nodes, and no cluster is as small.
    for node in range(n_nodes):
        if above[node] >= 0 and size[node] >= least:
            large[above[node]] += 1
            large_rows[above[node]] += size[node]
    return large, large_rows


@compiled_for_many
def condense(
    gaps: np.ndarray,
    order: np.ndarray,
    least: int,
    at_zero: float,
    clusters: ClusterColumns,
    rows: RowColumns,
) -> int:
    """Fills the columns of a `CondensedTree`; those of its clusters are longer than needed.

    Args:
        gaps, order: the hierarchy's heights and order.
        least: fewest rows of a cluster.
        at_zero: lambda where the height is 0.
        clusters, rows: filled.

    Returns:
        How many clusters there are, the root included.
    """
    parent, birth, death, stability = clusters.parent, clusters.birth, clusters.death, clusters.stability
    most = max(len(gaps), 1)
    height, size = np.empty(most), np.empty(most, dtype=np.int64)
    above, holder = np.empty(most, dtype=np.int64), np.zeros(len(order), dtype=np.int64)
    closed = np.empty(most, dtype=np.int64)
    nodes = Nodes(height, size, above, holder, closed)
    n_nodes = _find_nodes(gaps, nodes)
    large, large_rows = _count_large_parts(nodes, n_nodes, least)

    parent[0], birth[0], death[0], clusters.size[0], stability[0] = -1, 0.0, 0.0, len(order), 0.0
    n_clusters = 1
    cluster = np.zeros(most, dtype=np.int64)
    falls_at = np.zeros(most)  # where the rows directly below a node leave their cluster
    whole = np.ones(most, dtype=np.bool_)  # whether a node still carries its cluster
    for index in range(n_nodes - 1, -1, -1):
        node = closed[index]
        up = above[node]
        if up >= 0:
            cluster[node] = cluster[up]
            # Too small, or inside what was: its rows left the cluster with the part that fell off.
            if not whole[up] or size[node] < least:
                whole[node] = False
                falls_at[node] = falls_at[up]
                continue
            # One large part carries the cluster on; two or more are clusters of their own.
            if large[up] > 1:
                parent[n_clusters], birth[n_clusters] = cluster[up], falls_at[up]
                clusters.size[n_clusters], stability[n_clusters] = size[node], 0.0
                cluster[node] = n_clusters
                n_clusters += 1
        own = cluster[node]
        falls_at[node] = 1.0 / height[node] if height[node] > 0.0 else at_zero
        # Where one large part goes on, its rows stay; otherwise the cluster ends here with all it has.
        leaving = size[node] - large_rows[node] if large[node] == 1 else size[node]
        stability[own] += leaving * (falls_at[node] - birth[own])
        death[own] = falls_at[node]
    # A row leaves where the part that it falls off with does.
    for place in range(len(order)):
        rows.node[order[place]] = cluster[holder[place]]
        rows.leaving[order[place]] = falls_at[holder[place]]
    return n_clusters
