from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import squareform
from tests.clustering import brute

from polylens.clustering import canonical
from polylens.records import Hierarchy

TIED = arrays(np.int64, st.integers(2, 12).map(lambda rows: (rows, rows)), elements=st.integers(0, 3))


def _kruskal(weights: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One of the minimum spanning trees, by chance, its edges shuffled and turned by chance."""
    left, right = np.triu_indices(len(weights), 1)
    group = np.arange(len(weights))
    kept = []
    for edge in np.lexsort((rng.random(len(left)), weights[left, right])):
        a, b = group[left[edge]], group[right[edge]]
        if a != b:
            group[group == b] = a
            kept.append(edge)
    kept = rng.permutation(np.array(kept, dtype=np.int64))
    turned = rng.random(len(kept)) < 0.5
    ends = np.where(turned, right[kept], left[kept]), np.where(turned, left[kept], right[kept])
    return *ends, weights[left[kept], right[kept]].astype(np.float64)


def _form(edges: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Hierarchy:
    return canonical(*edges, core=np.zeros(len(edges[0]) + 1), metric="any", min_samples=1)


def _joined_at(found: Hierarchy) -> np.ndarray:
    """The height at which each two rows are joined: the largest between them in the order."""
    rows = len(found.order)
    heights = np.zeros((rows, rows))
    for first in range(rows):
        for second in range(first + 1, rows):
            a, b = found.order[[first, second]]
            heights[a, b] = heights[b, a] = found.heights[first:second].max()
    return heights


def _by_definition(joined: np.ndarray, rows: list[int]) -> tuple[list[int], list[float]]:
    """Order and gaps of some rows: the groups below their common height, by lowest row."""
    if len(rows) == 1:
        return rows, []
    top = joined[np.ix_(rows, rows)].max()
    order: list[int] = []
    gaps: list[float] = []
    left = sorted(rows)
    while left:
        group = [left[0], *(row for row in left[1:] if joined[left[0], row] < top)]
        inside, between = _by_definition(joined, group)
        gaps += ([float(top)] if order else []) + between
        order += inside
        left = [row for row in left if row not in group]
    return order, gaps


@settings(max_examples=150, deadline=None)
@given(TIED, st.integers(0, 2**32))
def test_every_spanning_tree_of_tied_weights_gives_the_same_form(weights, seed):
    weights = np.minimum(weights, weights.T)
    rng = np.random.default_rng(seed)
    one, other = (_form(_kruskal(weights, rng)) for _ in range(2))
    assert np.array_equal(one.order, other.order)
    assert np.array_equal(one.heights, other.heights)


@settings(max_examples=100, deadline=None)
@given(TIED, st.integers(0, 2**32))
def test_rows_are_joined_where_scipys_single_linkage_joins_them(weights, seed):
    weights = np.minimum(weights, weights.T)
    np.fill_diagonal(weights, 0)
    found = _form(_kruskal(weights, np.random.default_rng(seed)))
    expected = squareform(cophenet(linkage(squareform(weights.astype(np.float64)), "single")))
    assert np.array_equal(_joined_at(found), expected)
    order, gaps = _by_definition(expected, list(range(len(weights))))
    assert found.order.tolist() == order
    assert found.heights.tolist() == gaps


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.int64, st.tuples(st.integers(3, 14), st.integers(1, 6)), elements=st.integers(0, 2)),
    st.sampled_from(["euclidean", "l1", "cosine", "hamming", "jaccard"]),
    st.integers(1, 3),
)
def test_mutual_reachability_with_duplicates_is_joined_as_scipy_joins_it(values, metric, min_samples):
    points = values > 0 if metric in ("hamming", "jaccard") else values.astype(np.float32)
    reach, _ = brute.reachability(points, metric, min_samples)
    found = brute.hierarchy(points, metric=metric, min_samples=min_samples)
    assert np.array_equal(_joined_at(found), squareform(cophenet(linkage(squareform(reach), "single"))))


def test_groups_joined_at_one_height_stand_by_their_lowest_row():
    # 3-1 and 4-0 are joined at 1; at 2 all three groups {0, 4}, {1, 3}, {2} are.
    left, right, height = np.array([3, 4, 3, 4]), np.array([1, 0, 2, 2]), np.array([1.0, 1.0, 2.0, 2.0])
    found = _form((left, right, height))
    assert found.order.tolist() == [0, 4, 1, 3, 2]
    assert found.heights.tolist() == [1.0, 2.0, 1.0, 2.0]


def test_one_row_is_a_hierarchy_without_heights():
    found = _form((np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)))
    assert found.order.tolist() == [0]
    assert found.heights.tolist() == []


def test_a_long_chain_is_put_in_order():
    rows = 100_000
    rng = np.random.default_rng(0)
    name = rng.permutation(rows)
    edges = rng.permutation(rows - 1)
    found = _form((name[edges], name[edges + 1], (edges + 1).astype(np.float64)))
    # The k-th row of the chain joins the k before it at height k, in front of them where it is the lowest.
    order, gaps = deque([int(name[0])]), deque[float]()
    for height in range(1, rows):
        row = int(name[height])
        if row < order[0]:
            order.appendleft(row)
            gaps.appendleft(float(height))
        else:
            order.append(row)
            gaps.append(float(height))
    assert found.order.tolist() == list(order)
    assert found.heights.tolist() == list(gaps)


@pytest.mark.parametrize(
    ("left", "right", "height", "message"),
    [
        ([0], [1], [1.0], "1 edges are no spanning tree of 3 rows"),
        ([0, 1], [1, 0], [1.0, 2.0], "circle"),
        ([0, 1], [1, 3], [1.0, 2.0], "rows 0 to 2"),
        ([0, 1], [1, 2], [1.0, np.nan], "finite"),
        ([0, 1], [1, 2], [1.0, -1.0], "0 or more"),
    ],
)
def test_edges_that_are_no_spanning_tree_are_refused(left, right, height, message):
    with pytest.raises(ValueError, match=message):
        canonical(
            np.array(left), np.array(right), np.array(height), core=np.zeros(3), metric="any", min_samples=1
        )
