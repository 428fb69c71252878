"""The few clusters that a hierarchy is made of, once groups too small to count are left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import Hierarchy


@dataclass(frozen=True)
class CondensedTree:
    """The clusters of a hierarchy, from sparse to dense: 0 is the root, children stand after their parents.

    Densities are lambda = 1 / height. A height of 0 counts as half the least positive height, so that exact
    duplicates have a finite density, above that of everything else (1, where no height is positive).
    """

    parent: Int64[np.ndarray, "nodes"]
    """-1 for the root."""
    birth: Float64[np.ndarray, "nodes"]
    """Lambda at which the cluster splits off its parent; 0 for the root."""
    death: Float64[np.ndarray, "nodes"]
    """Lambda at which it splits, or at which its last rows leave."""
    size: Int64[np.ndarray, "nodes"]
    """Rows at birth."""
    stability: Float64[np.ndarray, "nodes"]
    """Sum over its rows of the lambda at which the row leaves or the cluster splits, less the birth."""
    row_node: Int64[np.ndarray, "rows"]
    """The deepest cluster that each row is ever in."""
    row_lambda: Float64[np.ndarray, "rows"]
    """Lambda at which the row leaves that cluster."""


def condense_tree(hierarchy: Hierarchy, *, min_cluster_size: int) -> CondensedTree:
    """The clusters of at least `min_cluster_size` rows that a hierarchy splits into.

    Going down from the top, a group falls apart at one height into all its parts at once. Where two or more
    parts are large enough, each is a new cluster; where one is, the cluster goes on as that part, and the
    other rows leave it; where none is, all rows leave.

    Args:
        hierarchy: the hierarchy of the rows.
        min_cluster_size: fewest rows of a cluster, 2 or more.

    Raises:
        ValueError: `min_cluster_size` is below 2.

    Source: Campello, Moulavi, Sander (2013), algorithm 1, step 4.2, which removes edges of equal weight
        simultaneously; Campello, Moulavi, Zimek, Sander (2015), section 4. So do we; scikit-learn and hdbscan
        depart, who take joins of equal height one after the other, in an order that follows from how rows are
        numbered.
    """
    if min_cluster_size < 2:
        raise ValueError("a cluster has 2 rows or more")
    from polylens.kernels.linkage import ClusterColumns, RowColumns, condense

    rows = len(hierarchy.order)
    positive = hierarchy.heights[hierarchy.heights > 0]
    # As many leaves as there are disjoint groups large enough, fewer splits than leaves, and the root.
    most = 2 * (rows // min_cluster_size) + 1
    parent, size = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    birth, death, stability = np.empty(most), np.empty(most), np.empty(most)
    row_node, row_lambda = np.empty(rows, dtype=np.int64), np.empty(rows)
    count = condense(
        hierarchy.heights,
        hierarchy.order,
        min_cluster_size,
        2.0 / positive.min() if len(positive) else 1.0,
        ClusterColumns(parent, birth, death, size, stability),
        RowColumns(row_node, row_lambda),
    )
    return CondensedTree(
        parent=parent[:count].copy(),
        birth=birth[:count].copy(),
        death=death[:count].copy(),
        size=size[:count].copy(),
        stability=stability[:count].copy(),
        row_node=row_node,
        row_lambda=row_lambda,
    )
