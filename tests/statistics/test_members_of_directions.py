from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.statistics import (
    above_the_rest,
    cluster_stretches,
    clusters_at,
    dealt_sizes,
    matched_members,
    purity,
    standardise,
    top_rows,
)


def greedy(scores: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Pairs of row and direction by falling score, as long as the direction has room."""
    member, room = np.full(len(scores), -1), sizes.copy()
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        row, place = np.unravel_index(flat, scores.shape)
        if member[row] < 0 and room[place]:
            member[row], room[place] = place, room[place] - 1
    return member


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(5, 30))
def test_members_are_those_of_the_greedy_matching_and_exactly_as_many_as_asked_for(seed, count, n):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, count))
    sizes = rng.integers(0, n // count + 1, count)
    found = matched_members(scores, sizes, generator=rng)
    assert np.array_equal(found, greedy(scores, sizes))
    assert np.array_equal(np.bincount(found[found >= 0], minlength=count), sizes)


def test_rows_that_are_equal_along_a_direction_are_drawn_at_random():
    scores = np.zeros((50, 1))
    drawn = [top_rows(scores, np.array([5]), generator=np.random.default_rng(seed))[0] for seed in (0, 0, 1)]
    assert drawn[0].tolist() == drawn[1].tolist()
    assert sorted(drawn[0]) != [0, 1, 2, 3, 4]
    assert sorted(drawn[0]) != sorted(drawn[2])


def test_more_members_than_rows_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        matched_members(np.zeros((3, 2)), np.array([2, 2]), generator=np.random.default_rng(0))


def test_clusters_at_a_place_are_those_whose_stretch_holds_it():
    rng = np.random.default_rng(0)
    places, labels = rng.normal(size=200), rng.integers(-1, 4, 200)
    stretches = cluster_stretches(places, labels, n_clusters=4)
    slow = [sum(low <= place <= high for low, high in stretches) for place in places]
    assert clusters_at(places, stretches).tolist() == slow
    inside = [
        ((places >= low) & (places <= high))[labels == k].mean() for k, (low, high) in enumerate(stretches)
    ]
    assert inside == pytest.approx([0.8] * 4, abs=0.05)


def planted(seed: int, sizes: list[int], *, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A basis of one class a direction, of unequal lengths and in another order; and the best clusters."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(sizes)), sizes)
    points = np.eye(len(sizes))[classes] + noise * rng.normal(size=(len(classes), len(sizes)))
    clusters = points.argmax(1)
    along = (points * rng.uniform(0.5, 2, len(sizes)))[:, rng.permutation(len(sizes))]
    return classes, clusters, standardise(along.astype(np.float32)).astype(np.float64)


def lead(seed: int, sizes: list[int], *, noise: float) -> float:
    classes, clusters, scores = planted(seed, sizes, noise=noise)
    dealt = dealt_sizes(scores, clusters, generator=np.random.default_rng(seed))
    members = matched_members(above_the_rest(scores, dealt), dealt, generator=np.random.default_rng(seed))
    return purity(clusters, classes) - purity(members, classes)


def test_directions_of_one_meaning_each_are_as_pure_as_clusters_however_rare_meanings_are():
    assert all(lead(seed, [200, 90, 40, 15, 6], noise=0.0) == 0 for seed in range(10))


@pytest.mark.parametrize("noise", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("sizes", [[60] * 6, [200, 90, 40, 15, 6], [300, 30, 30, 12, 12]])
def test_clusters_do_not_lead_over_noisy_directions_of_one_meaning_each(sizes, noise):
    leads = [lead(seed, sizes, noise=noise) for seed in range(20)]
    assert abs(np.mean(leads)) < 0.01


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 5))
def test_sizes_are_dealt_so_that_the_most_rows_are_shared_of_all_ways_to_deal_them(seed, count):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(40, count))
    clusters = rng.permutation(np.concatenate([np.arange(count), rng.integers(-1, count, 40 - count)]))
    sizes = np.bincount(clusters[clusters >= 0], minlength=count)

    def shared(order: tuple[int, ...]) -> int:
        tops = [np.argsort(-scores[:, place])[: sizes[cluster]] for place, cluster in enumerate(order)]
        return sum((clusters[top] == cluster).sum() for top, cluster in zip(tops, order, strict=True))

    dealt = dealt_sizes(scores, clusters, generator=rng)
    orders = list(permutations(range(count)))
    most = max(map(shared, orders))
    assert any(shared(order) == most and np.array_equal(sizes[list(order)], dealt) for order in orders)
