"""The picture of the tree that HDBSCAN cuts."""

from __future__ import annotations

from typing import Literal

from polylens.analyses import GROUNDWORK, Outcome
from polylens.analyses._partitions.distances import UNITS
from polylens.analyses._partitions.spaces import Metric
from polylens.clustering import condense_tree, cut, select_clusters
from polylens.figures import condensed_tree
from polylens.records import Figure


def tree_pictures(
    outcome: Outcome,
    *,
    metric: Metric,
    min_cluster_size: int,
    selection: Literal["eom", "leaf"],
    max_cluster_size: int | None,
    epsilon: float,
    subject: str,
) -> tuple[Figure, ...]:
    """The condensed tree and the clusters cut from it; no picture where there is no tree."""
    partition, trees = outcome.findings.partition, outcome.upstream.get(GROUNDWORK)
    if partition is None or trees is None or trees.hierarchy is None:
        return ()
    heights = trees.hierarchy.heights
    tree = condense_tree(trees.hierarchy, min_cluster_size=min_cluster_size)
    nodes = select_clusters(tree, selection=selection, max_cluster_size=max_cluster_size, epsilon=epsilon)
    positive = heights[heights > 0]
    zero = float(positive.min()) / 2 if len(positive) and len(positive) < len(heights) else None
    return (
        Figure(
            name="condensed-tree",
            title="The tree of clusters",
            caption=(
                f"Groups of {min_cluster_size} rows or more, as wide as they hold rows, from the top down to "
                "the mutual reachability distance at which they split or end; the kept ones stand out. "
                f"{partition.method}. {subject}"
            ),
            png=condensed_tree(
                tree.parent,
                birth=tree.birth,
                death=tree.death,
                size=tree.size,
                row_node=tree.row_node,
                row_lambda=tree.row_lambda,
                selected=cut(tree, nodes).nodes,
                unit=UNITS[metric],
                zero=zero,
            ),
            alt=f"A tree of {len(tree.parent)} groups, of which {partition.n_clusters} are the clusters.",
        ),
    )
