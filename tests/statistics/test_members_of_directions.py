from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.statistics import cluster_stretches, clusters_at, matched_members, top_rows


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
