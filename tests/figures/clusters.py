"""Hierarchies, medoids and distances as the figures of clusters take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polylens import figures
from polylens.records import CodeLayer

Case = tuple[Callable[..., bytes], tuple[Any, ...], dict[str, Any]]

HOSTILE = "$\\frac{1}{0}$ <b>&amp; 漢字 \u202e\u200b\x00 مرحبا _^%#"
WIDE = "W" * 300


def hierarchy(
    n_leaves: int,
    *,
    n_rows: int = 20,
    lost: int = 15,
    inside: bool = False,
    chain: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    """A made-up condensed tree, as `condensed_tree` takes it.

    Args:
        n_leaves: clusters that split no further.
        n_rows: about as many rows each of them has.
        lost: about as many rows leave wherever a cluster splits.
        inside: whether clusters that split are chosen, instead of the leaves.
        chain: whether each split parts one leaf from all others.
        seed: of the tree.
    """
    rng = np.random.default_rng(seed)
    parent, birth, death = [-1], [0.0], []
    row_node: list[int] = []
    row_lambda: list[float] = []
    leaves_of = [n_leaves]
    for node, n_inside in enumerate(leaves_of):
        start = max(birth[node], 0.05)
        end = start * float(rng.uniform(1.1, 1.5))
        own = int(rng.integers(2, 2 * n_rows)) if n_inside <= 1 else int(rng.integers(0, lost + 1))
        leaving = np.sort(rng.uniform(start, end, own))
        if n_inside <= 1:
            end = float(leaving[-1])
        death.append(end)
        row_node += [node] * own
        row_lambda += leaving.tolist()
        if n_inside > 1:
            first = 1 if chain else int(rng.integers(1, n_inside))
            parent += [node, node]
            birth += [end, end]
            leaves_of += [first, n_inside - first]
    size = np.bincount(row_node, minlength=len(parent))
    for node in reversed(range(1, len(parent))):
        size[parent[node]] += size[node]
    wanted = 2 if inside else 1
    chosen = [node for node, n_inside in enumerate(leaves_of) if n_inside == wanted and parent[node] >= 0]
    chosen.sort(key=lambda node: -size[node])
    return {
        "parent": np.array(parent),
        "birth": np.array(birth),
        "death": np.array(death),
        "size": size,
        "row_node": np.array(row_node),
        "row_lambda": np.array(row_lambda),
        "selected": np.array(chosen, dtype=np.int64),
    }


def medoids(n_clusters: int, n_bits: int) -> dict[str, Any]:
    """Medoids of clusters that share part of their bits, with their sizes and their members' agreement."""
    rng = np.random.default_rng(1)
    kinds = rng.random((n_clusters, 12)) < 0.5
    codes = kinds[:, rng.integers(0, 12, n_bits)] ^ (rng.random((n_clusters, n_bits)) < 0.05)
    return {
        "codes": codes,
        "sizes": np.sort(rng.integers(5, 900, n_clusters))[::-1],
        "agreement": rng.beta(9, 1, (n_clusters, n_bits)),
    }


def _trees() -> dict[str, Case]:
    draw = figures.condensed_tree
    several = hierarchy(12, inside=True)
    lone = {
        "parent": np.array([-1]),
        "birth": np.zeros(1),
        "death": np.full(1, 2.0),
        "size": np.array([3]),
        "row_node": np.zeros(3, dtype=np.int64),
        "row_lambda": np.full(3, 2.0),
        "selected": np.array([], dtype=np.int64),
    }
    far = several | {
        "row_lambda": np.where(np.arange(len(several["row_node"])) < 2, 1e-9, several["row_lambda"])
    }
    near = several | {"row_lambda": np.where(several["row_lambda"] > 0.3, 1e12, several["row_lambda"])}
    nothing = {name: array[:0] for name, array in lone.items()}
    trees = {
        "three": hierarchy(3),
        "chosen ones that split": several | {"unit": "share of bits"},
        "eighty": hierarchy(80, n_rows=40) | {"unit": WIDE},
        "a chain of sixty": hierarchy(60, n_rows=5, lost=150, chain=True) | {"unit": HOSTILE},
        "a thousand": hierarchy(1000, n_rows=5),
        "a distance for none": several | {"zero": float(1 / several["row_lambda"].max())},
        "rows far away": far,
        "rows that never part": near,
        "no cluster": lone,
        "one cluster of all": lone | {"selected": np.array([0])},
        "clusters, none chosen": several | {"selected": np.array([], dtype=np.int64)},
        "rows never joined": lone | {"row_lambda": np.zeros(3)},
        "nothing": nothing,
    }
    return {
        f"tree, {name}": (draw, (tree["parent"],), {key: tree[key] for key in tree if key != "parent"})
        for name, tree in trees.items()
    }


def _sizes() -> dict[str, Case]:
    rng = np.random.default_rng(2)
    draw = figures.cluster_persistence

    def case(n_clusters: int, **more: Any) -> Case:
        sizes = np.sort((rng.lognormal(4, 1.5, n_clusters) + 5).astype(np.int64))[::-1]
        return draw, (sizes,), {"persistence": rng.beta(1.3, 6, n_clusters), **more}

    return {
        "persistence of three": case(3, names=[HOSTILE, WIDE]),
        "persistence of forty": case(40),
        "persistence of two hundred": case(200, names=[f"{i} {WIDE}" for i in range(200)]),
        "persistence of one": (draw, (np.array([1]),), {"persistence": np.array([1.0])}),
        "persistence of a million rows": (
            draw,
            (np.array([10**6, 5]),),
            {"persistence": np.array([0.0, 1e-9])},
        ),
        "persistence, NaN": (draw, (np.array([9, 9]),), {"persistence": np.full(2, np.nan)}),
        "persistence, none": (draw, (np.array([], dtype=np.int64),), {"persistence": np.array([])}),
    }


def _medoids() -> dict[str, Case]:
    draw = figures.medoid_codes

    def case(n_clusters: int, widths: list[int], *, names: list[str] | None = None, **more: Any) -> Case:
        given = medoids(n_clusters, sum(widths))
        layers = [CodeLayer(f"features.{i}.activation", width) for i, width in enumerate(widths)]
        return draw, (given.pop("codes"),), {**given, "layers": layers, "names": names, **more}

    return {
        "medoids, three": case(3, [64], names=[HOSTILE, WIDE]),
        "medoids without agreement": case(12, [30, 34], agreement=None),
        "medoids, sixty of 3,072 bits": case(60, [1024] * 3),
        "medoids, many in many layers": case(90, [20] * 60, names=[WIDE] * 90),
        "medoids, unsorted": case(9, [40], sort=False),
        "medoids, one": case(1, [64], layers=[CodeLayer(WIDE, 64)]),
        "medoids, none": case(0, [64]),
    }


def _distances() -> dict[str, Case]:
    rng = np.random.default_rng(3)
    draw = figures.within_between
    within, between = rng.gamma(9, 1, 3000), rng.gamma(14, 1.2, 3000)
    bits = rng.binomial(64, 0.1, 3000) / 64
    nothing = np.array([])
    return {
        "within and between": (
            draw,
            (within,),
            {"between": between, "noise": between - 1, "unit": "Euclidean"},
        ),
        "within and between, bits": (draw, (bits,), {"between": bits + 0.25, "unit": HOSTILE}),
        "within and between, hostile": (
            draw,
            (within,),
            {"between": between, "noise": within, "noise_is": WIDE, "unit": WIDE},
        ),
        "within and between, far apart": (draw, (within * 1e-9,), {"between": between + 1e9}),
        "within and between, two pairs": (draw, (np.array([1.0]),), {"between": np.array([2.0])}),
        "within only": (draw, (within,), {"between": np.array([np.nan])}),
        "noise only": (draw, (nothing,), {"between": nothing, "noise": within}),
        "within and between, all equal": (draw, (np.ones(3),), {"between": np.ones(3)}),
        "within and between, none": (draw, (nothing,), {"between": nothing}),
    }


def cluster_cases() -> dict[str, Case]:
    """Ordinary, extreme and degenerate inputs of the figures of clusters."""
    return _trees() | _sizes() | _medoids() | _distances()
