"""Edges that lists of neighbours tell of, and rows that an edge between groups may still come from."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from polylens.clustering.blocks import Blocks
from polylens.clustering.forest import Forest
from polylens.clustering.groups import OpenRows, path_weights
from polylens.clustering.spaces import Least, Nearest


def left_to_the_second_pass(seed, *, rows, neighbours, min_samples):
    """Points with many ties, their groups after the first pass, and the weights of all edges."""
    points = np.random.default_rng(seed).integers(0, 9, (rows, 2)).astype(float)
    apart = cdist(points, points)
    np.fill_diagonal(apart, np.inf)
    who = np.argsort(apart, axis=1, kind="stable")[:, :neighbours]
    nearest = Nearest(np.take_along_axis(apart, who, axis=1), who)
    core = nearest.distances[:, min_samples - 2].copy()
    forest = Forest.of(rows)
    forest.contract(nearest, core)
    floor = np.maximum(core, nearest.distances[:, -1])
    groups = forest.groups(core, floor, forest.known(nearest, core))
    return groups, np.maximum(apart, np.maximum(core[:, None], core[None])), nearest


def heaviest_on_the_best_path(weights):
    """Of every two groups, by letting each group be passed through in turn (Floyd and Warshall)."""
    best = weights.copy()
    for middle in range(len(best)):
        best = np.minimum(best, np.maximum(best[:, middle, None], best[None, middle]))
    return best


SETTINGS = {"seed": st.integers(0, 10**6), "rows": st.integers(12, 40), "neighbours": st.integers(2, 4)}


@given(**SETTINGS)
def test_known_edges_connect_groups_as_well_as_all_listed_edges_do(seed, rows, neighbours):
    groups, weights, nearest = left_to_the_second_pass(seed, rows=rows, neighbours=neighbours, min_samples=3)
    group = np.empty(rows, dtype=int)
    group[groups.order] = groups.group
    listed = np.full((groups.count, groups.count), np.inf)
    own = np.repeat(np.arange(rows), neighbours)
    other = nearest.who.ravel()
    np.minimum.at(listed, (group[own], group[other]), weights[own, other])
    listed = np.minimum(listed, listed.T)
    np.fill_diagonal(listed, np.inf)
    found = path_weights(groups.joined, groups.known.weights, count=groups.count)
    expected = heaviest_on_the_best_path(listed)
    np.fill_diagonal(expected, np.inf)
    np.testing.assert_array_equal(found, expected)
    for (a, b), (i, j), weight in zip(groups.joined, groups.known.rows, groups.known.weights, strict=True):
        assert (group[i], group[j]) == (a, b)
        assert weight == weights[i, j]


@given(**SETTINGS, each_two=st.booleans())
def test_every_edge_of_use_that_is_not_listed_lies_between_open_rows(seed, rows, neighbours, each_two):
    groups, weights, _ = left_to_the_second_pass(seed, rows=rows, neighbours=neighbours, min_samples=3)
    least = Least.known(groups, each_two=each_two)
    blocks = Blocks(rows, 5)
    opened = OpenRows.of(groups, least.weight, blocks)
    for a in range(blocks.count):
        for b in range(a, blocks.count):
            first, second = opened.between(blocks.span(a), blocks.span(b))
            for i in range(rows)[blocks.span(a)]:
                for j in range(rows)[blocks.span(b)]:
                    ours, theirs = groups.group[i], groups.group[j]
                    limit = max(
                        least.weight[ours, least.slot[theirs]], least.weight[theirs, least.slot[ours]]
                    )
                    weight = weights[groups.order[i], groups.order[j]]
                    # What is lighter than either floor is listed.
                    if ours != theirs and max(groups.floor[i], groups.floor[j]) <= weight < limit:
                        assert i in first
                        assert j in second


@given(**SETTINGS)
def test_known_edges_are_the_least_of_their_groups(seed, rows, neighbours):
    groups, weights, _ = left_to_the_second_pass(seed, rows=rows, neighbours=neighbours, min_samples=3)
    two, one = (Least.known(groups, each_two=each_two) for each_two in (True, False))
    for least in (two, one):
        is_known = least.ends[..., 0] >= 0
        ends = least.ends[is_known]
        np.testing.assert_array_equal(least.weight[is_known], weights[ends[:, 0], ends[:, 1]])
    assert (two.ends[..., 0] >= 0).sum() == 2 * len(groups.known.weights)
    ends_of = [[] for _ in range(groups.count)]
    for sides, weight in zip(groups.joined, groups.known.weights, strict=True):
        for side in sides:
            ends_of[side].append(weight)
    np.testing.assert_array_equal(one.weight[:, 0], [min(found, default=np.inf) for found in ends_of])


@given(**SETTINGS)
def test_groups_stand_together_by_rising_floor(seed, rows, neighbours):
    groups, _, _ = left_to_the_second_pass(seed, rows=rows, neighbours=neighbours, min_samples=3)
    assert sorted(groups.order) == list(range(rows))
    assert (np.diff(groups.group) >= 0).all()
    for group in range(groups.count):
        assert (np.diff(groups.floor[groups.group == group]) >= 0).all()
