"""A flat partition out of a tree of clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.clustering.checks import check_word
from polylens.clustering.condensing import CondensedTree
from polylens.clustering.renumbering import by_falling_size

Selection = Literal["eom", "leaf"]


@dataclass(frozen=True)
class Cut:
    """What selected clusters say of the rows and of themselves."""

    labels: Int64[np.ndarray, "rows"]
    """0, 1, ... by falling size; -1 is noise."""
    strength: Float32[np.ndarray, "rows"]
    """Lambda at which the row leaves over the lambda at which its cluster ends, at most 1; 0 for noise."""
    persistence: Float64[np.ndarray, "clusters"]
    """Stability over size times the greatest lambda of the tree, in [0, 1]."""
    lifetimes: Float64[np.ndarray, "clusters 2"]
    """Heights at which each cluster splits off its parent, and at which it ends."""
    nodes: Int64[np.ndarray, "clusters"]
    """The cluster of the tree that each label stands for."""


def select_clusters(
    tree: CondensedTree,
    *,
    selection: Selection = "eom",
    max_cluster_size: int | None = None,
    epsilon: float = 0.0,
) -> Int64[np.ndarray, "clusters"]:
    """The clusters of a tree that are kept, rising; never the root: one cluster of everything is no finding.

    Args:
        tree: the tree of clusters.
        selection: `eom`: the clusters whose stabilities sum to the most; a cluster is kept in place of its
            parts where both are equally stable, up to rounding. `leaf`: those that split no further.
        max_cluster_size: no larger cluster is kept, whatever the selection and `epsilon`: its parts are, or
            nothing of it.
        epsilon: clusters that split off their parent below this height are merged: their nearest ancestor
            that splits off at this height or above is kept for them, or the largest of at most
            `max_cluster_size` rows on the way there.

    Raises:
        DataError: there is no such selection.

    Source: Campello, Moulavi, Zimek, Sander (2015), section 5; Malzer and Baum (2020) for `epsilon`.
    Departs: scikit-learn merges a cluster whose parent splits off at exactly `epsilon` into its grandparent,
        and may keep the grandparent's other parts beside it. Its `max_cluster_size` is not kept under `leaf`,
        nor by what `epsilon` merges.
    """
    check_word("selection", selection, get_args(Selection))
    from polylens.kernels.selection import merged_upwards, most_stable

    chosen = np.zeros(len(tree.parent), dtype=np.bool_)
    largest = len(tree.row_node) if max_cluster_size is None else max_cluster_size
    if selection == "eom":
        most_stable(tree.parent, tree.stability, tree.size, largest, chosen)
    else:
        chosen[1:] = True
        chosen[tree.parent[1:]] = False
        chosen &= tree.size <= largest
    if epsilon > 0:
        merged_upwards(tree.parent, tree.birth, tree.size, 1 / epsilon, largest, chosen)
    return np.flatnonzero(chosen)


def cut(tree: CondensedTree, nodes: Int64[np.ndarray, "clusters"]) -> Cut:
    """Labels, strengths and persistence of the rows under some clusters of a tree.

    A row belongs to the cluster among `nodes` that it is in before it leaves the tree.

    Args:
        tree: the tree of clusters.
        nodes: such as `select_clusters` gives: none holds another.
    """
    from polylens.kernels.selection import chosen_above

    chosen = np.zeros(len(tree.parent), dtype=np.bool_)
    chosen[nodes] = True
    owner = np.empty(len(chosen), dtype=np.int64)
    chosen_above(tree.parent, chosen, owner)
    of_row = owner[tree.row_node]
    labels = by_falling_size(of_row)
    named, first = np.unique(labels, return_index=True)
    nodes = of_row[first[named >= 0]]
    clustered = labels >= 0
    strength = np.zeros(len(labels), dtype=np.float32)
    strength[clustered] = np.minimum(tree.row_lambda[clustered] / tree.death[of_row[clustered]], 1)
    persistence = tree.stability[nodes] / (tree.size[nodes] * tree.death.max())
    lifetimes = 1.0 / np.stack([tree.birth[nodes], tree.death[nodes]], axis=1)
    return Cut(labels, strength, persistence, lifetimes, nodes)
