"""Where the clusters of a hierarchy hang when they are drawn as icicles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from polylens.records import NOISE

ROOT = 0.8
"""Share of the picture's width that the root takes; the rest is air beside the clusters."""
_STEPS = 240
"""Steps that are drawn of one shape, at most."""


@dataclass(frozen=True)
class Icicles:
    """Clusters of a hierarchy by their distances; the root is the first, parents come before children."""

    parent: Int[np.ndarray, "nodes"]
    size: Int[np.ndarray, "nodes"]
    top: Float[np.ndarray, "nodes"]
    """Distance at which each splits off its parent; infinite for the root."""
    bottom: Float[np.ndarray, "nodes"]
    """Distance at which each splits, or its last rows leave."""
    leaving: list[Float[np.ndarray, "_"]]
    """Distances at which rows leave each for no other, falling."""
    chosen: Int[np.ndarray, "clusters"]
    owner: Int[np.ndarray, "nodes"]
    """Number of the chosen cluster that each is or lies in; -1 where there is none."""


@dataclass(frozen=True)
class Scale:
    """Where a distance stands, from 0 at the bottom to 1 at the top."""

    low: float
    high: float
    logarithmic: bool

    def places(self, distances: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        """The height of each distance, from 0 to 1; distances outside the scale stand at the nearer end.

        >>> Scale(1.0, 4.0, logarithmic=True).places(np.array([0.01, 2.0, 4.0])).tolist()
        [0.0, 0.5, 1.0]
        """
        low, high, inside = self.low, self.high, np.clip(distances, self.low, self.high)
        if self.logarithmic:
            low, high, inside = math.log(low), math.log(high), np.log(inside)
        places: Float[np.ndarray, "n"] = (inside - low) / (high - low)
        return places


def hang(
    parent: Int[np.ndarray, "nodes"],
    *,
    birth: Float[np.ndarray, "nodes"],
    death: Float[np.ndarray, "nodes"],
    size: Int[np.ndarray, "nodes"],
    row_node: Int[np.ndarray, "rows"],
    row_lambda: Float[np.ndarray, "rows"],
    selected: Int[np.ndarray, "clusters"],
) -> Icicles:
    """The hierarchy by its distances, from the arrays that `condensed_tree` takes; lambdas are finite."""
    with np.errstate(divide="ignore"):
        top, bottom, leaving = 1 / birth, 1 / np.minimum(death, row_lambda.max()), 1 / row_lambda
    top[0] = np.inf
    order = np.lexsort((-leaving, row_node))
    ends = np.cumsum(np.bincount(row_node, minlength=len(parent)))
    owner = np.full(len(parent), NOISE)
    owner[selected] = np.arange(len(selected))
    for node in range(1, len(parent)):
        if owner[node] == NOISE:
            owner[node] = owner[parent[node]]
    return Icicles(
        parent=parent,
        size=size,
        top=top,
        bottom=bottom,
        leaving=np.split(leaving[order], ends[:-1]),
        chosen=selected,
        owner=owner,
    )


def fitting_scale(tree: Icicles, *, zero: float | None) -> Scale:
    """From where the first rows leave to where the last ones do, without what would squeeze all the rest."""
    leaving = np.concatenate(tree.leaving)
    first_split = float(tree.top[1:].max(initial=0.0))
    # The root shows above its first split. Rows that are far from all others do not stretch it, nor do a few
    # that stay together much longer than all others.
    few, nearly_all = np.quantile(leaving[np.isfinite(leaving)], [0.01, 0.99]).tolist()
    farthest = float(leaving[np.isfinite(leaving)].max())
    high = max(min(farthest, max(3 * first_split, 1.5 * nearly_all)), 1.15 * first_split)
    low = max(float(leaving.min()), few / 3, high / 2000)
    if low >= high:
        low = high / 2
    if high / low > 8 or (zero is not None and zero > 0.99 * low):
        pad = (high / low) ** 0.02
        return Scale(low / pad, high * pad, logarithmic=True)
    pad = 0.02 * (high - low)
    return Scale(low - pad, high + pad, logarithmic=False)


def middles_of(tree: Icicles) -> Float[np.ndarray, "nodes"]:
    """The middle of each cluster, from 0 to 1: children side by side below their parent, the largest first.

    A cluster has room for its rows. What rows that have gone leave free is air: it first gives every chosen
    cluster the same least room, as much as there can be, and is then shared by how many of them there are.
    """
    n_nodes, chosen = len(tree.parent), set(tree.chosen.tolist())
    children: list[list[int]] = [[] for _ in range(n_nodes)]
    for node in range(1, n_nodes):
        children[tree.parent[node]].append(node)
    claim = np.zeros(n_nodes)
    for node in reversed(range(n_nodes)):
        inside = float(claim[children[node]].sum())
        claim[node] = 1.0 if node in chosen else inside or (0.25 if tree.owner[node] == NOISE else 1.0)
    possible, too_much = 0.0, 1.0
    for _ in range(16):
        least = (possible + too_much) / 2
        fits = _needs(tree, claim=claim, least=least)[0] <= 1
        possible, too_much = (least, too_much) if fits else (possible, least)
    need = _needs(tree, claim=claim, least=possible)
    left, room = np.zeros(n_nodes), np.ones(n_nodes)
    for node, own in enumerate(children):
        air = max(room[node] - float(need[own].sum()), 0.0)
        start = left[node]
        for child in sorted(own, key=lambda child: (-tree.size[child], child)):
            left[child] = start
            room[child] = need[child] + air * claim[child] / claim[own].sum()
            start += room[child]
    middles: Float[np.ndarray, "nodes"] = left + room / 2
    return middles


def _needs(tree: Icicles, *, claim: Float[np.ndarray, "nodes"], least: float) -> Float[np.ndarray, "nodes"]:
    """The width each cluster needs for its rows and its children, if a chosen one has at least `least`."""
    need: Float[np.ndarray, "nodes"] = tree.size * (ROOT / tree.size[0])
    bare = np.ones(len(need), dtype=bool)
    bare[tree.parent[1:]] = False
    own = (bare & (tree.owner == NOISE)).astype(float)
    own[tree.chosen] = 1.0
    # A little air always, so that neighbours do not touch; all of it together is less than the root leaves.
    need = np.maximum(need + own * min(0.006, 0.1 / max(own.sum(), 1.0)), own * claim * least)
    inside = np.zeros(len(need))
    for node in reversed(range(1, len(need))):
        need[node] = max(need[node], inside[node])
        inside[tree.parent[node]] += need[node]
    need[0] = max(need[0], inside[0])
    return need


def outline(tree: Icicles, node: int, *, scale: Scale, middle: float) -> Float[np.ndarray, "corners 2"]:
    """The corners of one cluster's shape: it narrows by a row wherever a row leaves."""
    distances, counts = np.unique(-tree.leaving[node], return_counts=True)
    gone = np.cumsum(counts)
    if len(distances) > _STEPS:
        kept = np.unique(np.linspace(0, len(distances) - 1, _STEPS).astype(int))
        distances, gone = distances[kept], gone[kept]
    levels = np.concatenate(
        [tree.top[node : node + 1], np.repeat(-distances, 2), tree.bottom[node : node + 1]]
    )
    rows = tree.size[node] - np.repeat(np.concatenate([[0], gone]), 2)
    half = rows * (ROOT / tree.size[0] / 2)
    heights = scale.places(np.maximum(levels, tree.bottom[node]))
    right, left = (np.stack([middle + sign * half, heights], axis=1) for sign in (1, -1))
    return np.concatenate([right, left[::-1]])
