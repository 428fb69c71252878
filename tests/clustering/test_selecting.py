from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster._hdbscan._linkage import MST_edge_dtype, make_single_linkage
from sklearn.cluster._hdbscan._tree import tree_to_labels

from polylens.clustering import CondensedTree, by_falling_size, canonical, condense_tree, cut, select_clusters
from polylens.records import Hierarchy


def _random_hierarchy(seed: int, rows: int) -> tuple[Hierarchy, np.ndarray]:
    """A tree of any shape with heights that are all different, and the same as scikit-learn has it."""
    rng = np.random.default_rng(seed)
    name = rng.permutation(rows)
    # Each row hangs on an earlier one: 0.3 makes chains, 3 makes stars.
    earlier = rng.random(rows - 1) ** rng.choice([0.3, 1, 3]) * np.arange(1, rows)
    left, right = name[earlier.astype(np.int64)], name[1:]
    heights = rng.permutation(np.cumsum(rng.exponential(size=rows - 1) ** rng.choice([1, 3])) + rng.random())
    rising = np.argsort(heights)
    edges = np.rec.fromarrays([left[rising], right[rising], heights[rising]], dtype=MST_edge_dtype)
    found = canonical(left, right, heights, core=np.zeros(rows), metric="any", min_samples=1)
    return found, make_single_linkage(edges)


def _without_clusters_above(
    largest: int, labels: np.ndarray, strength: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.bincount(labels[labels >= 0], minlength=len(labels))
    gone = (labels >= 0) & (sizes[labels] > largest)
    return np.where(gone, -1, labels), np.where(gone, 0.0, strength)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(2, 100),
    st.integers(2, 9),
    st.sampled_from(["eom", "leaf"]),
    st.sampled_from([None, 10, 25]),
)
def test_labels_and_strengths_are_those_of_scikit_learn_where_no_heights_are_equal(
    seed, rows, least, selection, largest
):
    hierarchy, library = _random_hierarchy(seed, rows)
    labels, strength = tree_to_labels(library, least, selection, False, 0.0, largest)
    tree = condense_tree(hierarchy, min_cluster_size=least)
    if selection == "leaf" and largest is not None:
        # The library keeps leaves of any size.
        labels, strength = _without_clusters_above(largest, labels, strength)
    found = cut(tree, select_clusters(tree, selection=selection, max_cluster_size=largest))
    assert np.array_equal(found.labels, by_falling_size(labels))
    assert found.strength == pytest.approx(strength, abs=1e-6)


def _tree(parent: list[int], birth: list[float], size: list[int], stability: list[float]) -> CondensedTree:
    """A tree whose rows all stay to the end of the leaves; deaths where children are born, else at 100."""
    nodes = len(parent)
    death = [next((birth[k] for k in range(nodes) if parent[k] == node), 100.0) for node in range(nodes)]
    leaves = [node for node in range(nodes) if node not in parent]
    rows = [leaf for leaf in leaves for _ in range(size[leaf])]
    return CondensedTree(
        parent=np.array(parent),
        birth=np.array(birth, dtype=np.float64),
        death=np.array(death),
        size=np.array(size),
        stability=np.array(stability),
        row_node=np.array(rows),
        row_lambda=np.full(len(rows), 100.0),
    )


@pytest.mark.parametrize(("worth", "kept"), [(5.0, [1, 4]), (5.0 + 1e-6, [2, 3, 4]), (4.0, [1, 4])])
def test_of_equally_stable_clusters_and_parts_the_whole_is_kept(worth, kept):
    tree = _tree([-1, 0, 1, 1, 0], [0, 1, 2, 2, 1], [9, 6, 3, 3, 3], [1.0, 5.0, worth - 3.0, 3.0, 1.0])
    assert select_clusters(tree).tolist() == kept


def test_a_tie_that_only_rounding_breaks_is_a_tie():
    # 0.1 + 0.2 is above 0.3 by rounding alone.
    tree = _tree([-1, 0, 1, 1, 0], [0, 1, 2, 2, 1], [9, 6, 3, 3, 3], [1.0, 0.3, 0.1, 0.2, 1.0])
    assert select_clusters(tree).tolist() == [1, 4]


@st.composite
def _trees(draw):
    """Trees of up to 13 clusters with stabilities in eighths, which sum exactly."""
    parent, birth, size = [-1], [0.0], [draw(st.integers(4, 40))]
    open_nodes = [0]
    while open_nodes and len(parent) < 11:
        node = open_nodes.pop(0)
        parts = draw(st.integers(2, 3))
        if not draw(st.booleans()) or size[node] < 2 * parts:
            continue
        for _ in range(parts):
            open_nodes.append(len(parent))
            parent.append(node)
            birth.append(birth[node] + draw(st.integers(1, 3)))
            size.append(size[node] // parts)
        birth[-parts:] = [birth[-1]] * parts
    stability = [draw(st.integers(1, 24)) / 8 for _ in parent]
    return _tree(parent, birth, size, stability)


def _holds(tree: CondensedTree, above: int, node: int) -> bool:
    while node > 0:
        node = int(tree.parent[node])
        if node == above:
            return True
    return False


@settings(max_examples=150, deadline=None)
@given(_trees(), st.sampled_from([None, 4, 12]))
def test_no_other_choice_of_clusters_is_more_stable(tree, largest):
    nodes = [k for k in range(1, len(tree.parent)) if largest is None or tree.size[k] <= largest]
    nested = [(a, b) for a in nodes for b in nodes if _holds(tree, a, b)]
    best = 0.0
    for flags in itertools.product((False, True), repeat=len(nodes)):
        chosen = {node for node, flag in zip(nodes, flags, strict=True) if flag}
        if not any(a in chosen and b in chosen for a, b in nested):
            best = max(best, float(tree.stability[list(chosen)].sum()))
    found = select_clusters(tree, max_cluster_size=largest).tolist()
    assert set(found) <= set(nodes)
    assert not any(a in found and b in found for a, b in nested)
    assert tree.stability[found].sum() == best


@settings(max_examples=200, deadline=None)
@given(
    _trees(),
    st.sampled_from(["eom", "leaf"]),
    st.sampled_from([0.0, 0.1, 0.2, 0.26, 0.5, 0.7, 1.0, 3.0]),
    st.sampled_from([None, 4, 8, 12]),
)
def test_clusters_born_below_epsilon_are_merged_upwards_and_never_beyond_the_largest_size(
    tree, selection, epsilon, largest
):
    expected = set()
    for node in select_clusters(tree, selection=selection, max_cluster_size=largest).tolist():
        while (
            tree.parent[node] > 0
            and 1 / tree.birth[node] < epsilon
            and (largest is None or tree.size[tree.parent[node]] <= largest)
        ):
            node = int(tree.parent[node])
        expected.add(node)
    found = select_clusters(tree, selection=selection, epsilon=epsilon, max_cluster_size=largest).tolist()
    assert found == sorted(expected)
    assert not any(_holds(tree, a, b) for a in found for b in found)
    assert largest is None or all(tree.size[found] <= largest)


def test_a_cluster_born_at_exactly_epsilon_stays():
    tree = _tree([-1, 0, 0, 1, 1], [0, 1, 1, 4, 4], [9, 6, 3, 3, 3], [1.0, 1.0, 1.0, 1.0, 1.0])
    assert select_clusters(tree, selection="leaf", epsilon=0.25).tolist() == [2, 3, 4]
    assert select_clusters(tree, selection="leaf", epsilon=0.26).tolist() == [1, 2]


def test_the_clusters_nearest_to_the_root_stay_however_large_epsilon_is():
    tree = _tree([-1, 0, 0, 1, 1], [0, 1, 1, 4, 4], [9, 6, 3, 3, 3], [1.0, 1.0, 1.0, 1.0, 1.0])
    assert select_clusters(tree, selection="leaf", epsilon=1e9).tolist() == [1, 2]


def test_a_cluster_that_is_too_large_and_has_no_parts_is_not_kept():
    tree = _tree([-1, 0, 0], [0, 1, 1], [12, 9, 3], [1.0, 9.0, 1.0])
    assert select_clusters(tree, max_cluster_size=8).tolist() == [2]
    assert select_clusters(tree, selection="leaf", max_cluster_size=8).tolist() == [2]


def test_a_root_alone_is_no_finding():
    tree = _tree([-1], [0.0], [5], [9.0])
    for selection in ("eom", "leaf"):
        found = cut(tree, select_clusters(tree, selection=selection, epsilon=0.5))
        assert found.labels.tolist() == [-1] * 5
        assert found.strength.tolist() == [0.0] * 5
        assert found.persistence.shape == (0,)


def test_strength_and_persistence_are_shares_of_the_greatest_density():
    # Two clusters are born at lambda 1/2: {0, 1, 2} joined at 1 and {4, 5, 6} with row 6 leaving at 1 and the
    # others at 4.
    heights = np.array([1.0, 1.0, 2.0, 2.0, 0.25, 0.25, 1.0])
    hierarchy = Hierarchy(np.arange(8), heights, np.zeros(8), "any", 1)
    tree = condense_tree(hierarchy, min_cluster_size=3)
    found = cut(tree, select_clusters(tree))
    assert found.labels.tolist() == [1, 1, 1, -1, 0, 0, 0, 0]
    assert found.strength.tolist() == [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.25]
    # (3 * 3.5 + 0.5) / (4 * 4) and 3 * 0.5 / (3 * 4)
    assert found.persistence.tolist() == [11 / 16, 1.5 / 12]
    assert found.nodes.tolist() == [2, 1]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(2, 5))
def test_shares_stay_between_0_and_1(gaps, least):
    hierarchy = Hierarchy(np.arange(len(gaps) + 1), np.array(gaps) / 3, np.zeros(len(gaps) + 1), "any", 1)
    tree = condense_tree(hierarchy, min_cluster_size=least)
    found = cut(tree, select_clusters(tree))
    assert ((found.strength > 0) == (found.labels >= 0)).all()
    assert (found.strength <= 1).all()
    assert ((found.persistence > 0) & (found.persistence <= 1)).all()
    sizes = np.bincount(found.labels[found.labels >= 0])
    assert sizes.tolist() == tree.size[found.nodes].tolist()
    assert (np.diff(sizes) <= 0).all()
