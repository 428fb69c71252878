"""Which clusters of a condensed tree are kept. Clusters stand after their parents; 0 is the root.

1. `most_stable` goes up from the leaves: a cluster is kept unless its children, or what is kept of them, are
   more stable together. Then down from the root: what lies inside a kept cluster is dropped.
2. `merged_upwards` puts ancestors in place of clusters born too late (`cluster_selection_epsilon`).
3. `chosen_above` tells each cluster which kept one it is or lies in.

Invariant: kept clusters do not hold one another.

Cost: O(clusters), and the sorting of each one's children; memory for a few numbers a cluster.

Source: Campello, Moulavi, Zimek, Sander 2015, for the choice by stability; Malzer and Baum 2020,
"A hybrid approach to hierarchical density-based cluster selection", for ancestors.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled_for_many

_ROUNDING = 1e-10
"""The share of a stability that adding numbers up in another order may change."""


@compiled_for_many
def most_stable(
    parent: np.ndarray, stability: np.ndarray, size: np.ndarray, largest: int, chosen: np.ndarray
) -> None:
    """Chooses the clusters below the root whose stabilities sum to the most (excess of mass).

    A cluster is kept where its children, or what is kept of them, are not more stable than itself; where both
    are equal, it is kept. Children's stabilities are summed by size, so that no order of theirs matters.

    Args:
        parent, stability, size: of the clusters.
        largest: most rows of a cluster that is kept.
        chosen: a flag for each cluster, filled.
    """
    clusters = len(parent)
    # Counted and summed up: where the children of each cluster start in one list.
    first = np.zeros(clusters + 1, dtype=np.int64)
    for cluster in range(1, clusters):
        first[parent[cluster] + 1] += 1
    for cluster in range(clusters):
        first[cluster + 1] += first[cluster]
    # Room for the children of each cluster, one after the other; `told` is where the next of them writes.
    told = first[:-1].copy()
    below = np.empty(clusters)  # what the children of each cluster, one after the other, are worth
    # Backwards: children stand after their parents, so that all have told what they are worth.
    for cluster in range(clusters - 1, 0, -1):
        worths = below[first[cluster] : first[cluster + 1]]
        # Of two numbers the sum is one in either order.
        if len(worths) > 2:
            worths.sort()
        children = 0.0
        for worth in worths:
            children += worth
        # Within rounding the larger cluster is kept, so that no last bit decides.
        keep = children <= stability[cluster] * (1.0 + _ROUNDING) and size[cluster] <= largest
        chosen[cluster] = keep
        below[told[parent[cluster]]] = stability[cluster] if keep else children
        told[parent[cluster]] += 1
    # The root is all rows together, and no finding.
    chosen[0] = False
    covered = np.zeros(clusters, dtype=np.bool_)
    for cluster in range(1, clusters):
        covered[cluster] = covered[parent[cluster]] or chosen[parent[cluster]]
        chosen[cluster] = chosen[cluster] and not covered[cluster]


@compiled_for_many
def merged_upwards(
    parent: np.ndarray, birth: np.ndarray, size: np.ndarray, latest: float, largest: int, chosen: np.ndarray
) -> None:
    """Puts, for each chosen cluster born after `latest`, its nearest ancestor that is not.

    Where that one is larger than `largest`, or there is none below the root, the highest ancestor that is
    neither stands for it. Chosen clusters do not hold one another, before and after: all parts of a cluster
    are born at once and have one parent, so they stay or give way together.
    """
    instead = np.zeros(len(parent), dtype=np.int64)
    for cluster in range(1, len(parent)):
        above = parent[cluster]
        stays = above == 0 or birth[cluster] <= latest or size[above] > largest
        instead[cluster] = cluster if stays else instead[above]
    # An ancestor that stands for others is its own stand-in, so that it stays when its turn comes.
    for cluster in range(len(parent) - 1, 0, -1):
        if chosen[cluster] and instead[cluster] != cluster:
            chosen[cluster] = False
            chosen[instead[cluster]] = True


@compiled_for_many
def chosen_above(parent: np.ndarray, chosen: np.ndarray, owner: np.ndarray) -> None:
    """Fills `owner` with the chosen cluster that each cluster is or lies in; -1 where there is none."""
    owner[0] = -1
    for cluster in range(1, len(parent)):
        owner[cluster] = cluster if chosen[cluster] else owner[parent[cluster]]
