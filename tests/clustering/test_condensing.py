from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.clustering import CondensedTree, condense_tree
from polylens.records import Hierarchy


def _hierarchy(heights: list[float], order: list[int] | None = None) -> Hierarchy:
    rows = len(heights) + 1
    places = np.arange(rows) if order is None else np.array(order)
    return Hierarchy(places, np.array(heights, dtype=np.float64), np.zeros(rows), "any", 1)


def _by_definition(heights: list[float], least: int) -> dict[str, list]:
    """The same tree, node by node as its docstring says, rows numbered by place."""
    positive = [height for height in heights if height > 0]
    found = {name: [] for name in ("parent", "birth", "death", "size", "stability")}
    rows: dict[int, tuple[int, float]] = {}

    def cluster(parent: int, birth: float, first: int, last: int) -> None:
        own = len(found["parent"])
        for name, value in (("parent", parent), ("birth", birth), ("size", last - first)):
            found[name].append(value)
        found["death"].append(0.0)
        found["stability"].append(0.0)
        while True:
            gaps = heights[first : last - 1]
            if not gaps:
                break
            top = max(gaps)
            density = 1 / top if top > 0 else (2 / min(positive) if positive else 1.0)
            ends = [first, *(first + place + 1 for place, gap in enumerate(gaps) if gap == top), last]
            parts = list(pairwise(ends))
            large = [(a, b) for a, b in parts if b - a >= least]
            going = large[0] if len(large) == 1 else (0, 0)
            leaving = (last - first) - (going[1] - going[0])
            found["death"][own] = density
            found["stability"][own] += leaving * (density - birth)
            for a, b in parts:
                if b - a < least or (a, b) not in large:
                    rows.update(dict.fromkeys(range(a, b), (own, density)))
            if len(large) == 1:
                first, last = large[0]
                continue
            for a, b in large:
                cluster(own, density, a, b)
            break

    cluster(-1, 0.0, 0, len(heights) + 1)
    found["row_node"] = [rows[place][0] for place in range(len(heights) + 1)]
    found["row_lambda"] = [rows[place][1] for place in range(len(heights) + 1)]
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(2, 5))
def test_the_tree_is_what_falling_apart_at_once_gives(gaps, least):
    heights = [gap / 2 for gap in gaps]
    tree = condense_tree(_hierarchy(heights), min_cluster_size=least)
    expected = _by_definition(heights, least)
    for name in ("parent", "birth", "death", "size", "row_node", "row_lambda"):
        assert getattr(tree, name).tolist() == expected[name]
    assert tree.stability == pytest.approx(expected["stability"], rel=1e-12)


def test_a_row_between_two_clusters_leaves_with_their_split():
    # {0, 1, 2} at height 1 and {4, 5, 6} at 1/2 and row 3 are joined at 2.
    tree = condense_tree(_hierarchy([1.0, 1.0, 2.0, 2.0, 0.5, 0.5]), min_cluster_size=3)
    assert tree.parent.tolist() == [-1, 0, 0]
    assert tree.birth.tolist() == [0.0, 0.5, 0.5]
    assert tree.death.tolist() == [0.5, 1.0, 2.0]
    assert tree.size.tolist() == [7, 3, 3]
    assert tree.stability.tolist() == [3.5, 1.5, 4.5]  # 7 * 0.5, 3 * (1 - 0.5), 3 * (2 - 0.5)
    assert tree.row_node.tolist() == [1, 1, 1, 0, 2, 2, 2]
    assert tree.row_lambda.tolist() == [1.0, 1.0, 1.0, 0.5, 2.0, 2.0, 2.0]


def test_rows_are_named_by_the_order():
    tree = condense_tree(_hierarchy([1.0, 4.0, 2.0], order=[0, 3, 1, 2]), min_cluster_size=2)
    assert tree.row_node.tolist() == [1, 2, 2, 1]
    assert tree.row_lambda.tolist() == [1.0, 0.5, 0.5, 1.0]


def test_duplicates_are_twice_as_dense_as_the_least_positive_height():
    tree = condense_tree(_hierarchy([0.0, 0.5, 0.0]), min_cluster_size=2)
    assert tree.birth.tolist() == [0.0, 2.0, 2.0]
    assert tree.row_lambda.tolist() == [4.0] * 4
    assert np.isfinite(tree.stability).all()


def test_rows_that_are_all_equal_are_one_root_of_finite_density():
    tree = condense_tree(_hierarchy([0.0] * 9), min_cluster_size=2)
    assert tree.parent.tolist() == [-1]
    assert tree.row_lambda.tolist() == [1.0] * 10


def test_clusters_are_numbered_parents_first_and_then_by_place():
    #   two pairs under each of two halves
    tree = condense_tree(_hierarchy([1.0, 2.0, 1.0, 4.0, 1.0, 2.0, 1.0]), min_cluster_size=2)
    assert tree.parent.tolist() == [-1, 0, 1, 1, 0, 4, 4]
    assert tree.row_node.tolist() == [2, 2, 3, 3, 5, 5, 6, 6]


def test_a_long_chain_of_rising_heights_is_one_cluster_that_loses_row_by_row():
    heights = np.arange(1.0, 100_000)
    hierarchy = Hierarchy(np.arange(100_000), heights, np.zeros(100_000), "any", 1)
    tree = condense_tree(hierarchy, min_cluster_size=5)
    assert tree.parent.tolist() == [-1]
    assert np.array_equal(tree.row_lambda[5:], 1 / heights[4:])
    assert tree.row_lambda[:5].tolist() == [0.25] * 5


def test_one_row_is_a_root_alone():
    tree = condense_tree(_hierarchy([]), min_cluster_size=2)
    assert isinstance(tree, CondensedTree)
    assert (tree.parent.tolist(), tree.size.tolist(), tree.row_node.tolist()) == ([-1], [1], [0])


def test_clusters_of_one_row_are_refused():
    with pytest.raises(ValueError, match="2 rows or more"):
        condense_tree(_hierarchy([1.0]), min_cluster_size=1)
