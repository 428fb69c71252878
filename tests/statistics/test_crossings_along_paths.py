from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from polylens.statistics import PathCrossings, PathPlaces, PathProfile, common_bins, matching_weights


def _crossings() -> PathCrossings:
    """Two paths, of length 2 and 4; layer 0 has 10 units, layer 1 has 2."""
    return PathCrossings(
        length=np.array([2.0, 4.0]),
        path=np.array([0, 0, 0, 1]),
        position=np.array([0.1, 0.45, 0.55, 0.5]),
        layer=np.array([0, 1, 1, 0]),
        units=np.array([10.0, 2.0]),
    )


def test_density_along_is_crossed_share_over_length_summed_over_paths() -> None:
    profile = PathProfile.along(_crossings(), pieces=2)
    assert profile.length.tolist() == [[1.0, 1.0], [2.0, 2.0]]
    # First halves: one crossing of ten units, one of two; second ones: each layer once.
    np.testing.assert_allclose(profile.density(), [[0.1 / 3, 0.1 / 3], [0.5 / 3, 0.5 / 3], [0.1, 0.1]])
    np.testing.assert_allclose(profile.density(np.array([0.0, 5.0]))[0], [0.0, 0.1 / 2])
    assert np.isnan(profile.density(np.zeros(2))).all()


def test_pieces_around_a_place_end_where_the_path_does() -> None:
    places = PathPlaces(np.array([0, 0]), np.array([0.5, 0.95]))
    profile = PathProfile.around(_crossings(), places, np.array([-0.1, 0.1, 0.3]))
    np.testing.assert_allclose(profile.length, [[0.4, 0.4], [0.3, 0.0]])
    np.testing.assert_allclose(profile.crossed[0], [[0.0, 0.0], [1.0, 0.0], [0.5, 0.0]])
    assert profile.crossed[1].sum() == 0


def test_a_reversed_place_is_as_far_from_the_other_end_and_exchanged_ones_stay_together() -> None:
    places = PathPlaces(np.array([0, 2, 2, 5]), np.array([0.1, 0.2, 0.9, 0.5]))
    np.testing.assert_allclose(places.reverse().position, [0.9, 0.8, 0.1, 0.5])
    drawn = [places.exchange(np.random.default_rng(seed)) for seed in range(20)]
    assert all(each.path[1] == each.path[2] for each in drawn)
    assert all(set(each.path) == {0, 2, 5} for each in drawn)
    assert {int(each.path[0]) for each in drawn} == {0, 2, 5}


def test_counts_of_random_crossings_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    path = np.sort(rng.integers(0, 5, 200))
    position = rng.random(200)
    position = position[np.lexsort((position, path))]
    layer = rng.integers(0, 2, 200)
    crossings = PathCrossings(np.ones(5), path, position, layer, units=np.array([1.0, 1.0]))
    edges = np.sort(rng.random((5, 4)) * 1.4 - 0.2, axis=1)
    found = crossings.shares(np.arange(5), edges)
    for one in range(5):
        for which in range(2):
            here = position[(path == one) & (layer == which)]
            counts = [((here >= low) & (here < high)).sum() for low, high in pairwise(edges[one])]
            assert found[one, which].tolist() == counts


def test_matching_weights_give_both_kinds_the_distances_of_the_first() -> None:
    rng = np.random.default_rng(1)
    same, different = rng.random(50), 0.3 + rng.random(70)
    bins = common_bins(same, different, bins=5)
    assert bins is not None
    times = rng.integers(0, 3, 50).astype(float)
    one, other = matching_weights(bins, same_weight=times, different_weight=np.ones(70))
    for index in range(5):
        assert one[bins.same == index].sum() == pytest.approx(other[bins.different == index].sum())
    assert (one[bins.same < 0] == 0).all()
    assert (other[bins.different < 0] == 0).all()
