from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from polylens.clustering import bisecting_kmeans, kmeans
from polylens.errors import DataError
from polylens.streams import Streams


def _groups() -> np.ndarray:
    rng = np.random.default_rng(0)
    parts = [rng.normal(place, 0.1, (size, 2)) for place, size in ((0, 10), (5, 25), (10, 15))]
    return np.concatenate(parts).astype(np.float32)


def test_every_row_is_in_a_cluster_and_clusters_are_numbered_by_falling_size():
    found = kmeans(_groups(), clusters=3, streams=Streams(0))
    assert found.labels.tolist() == [2] * 10 + [0] * 25 + [1] * 15
    assert found.coverage == 1.0


def test_strength_compares_the_own_centre_with_the_next():
    points = np.array([[0.0], [2.0], [10.0], [12.0]], dtype=np.float32)
    found = kmeans(points, clusters=2, streams=Streams(0))
    # Centres 1 and 11: the row at 0 is 1 and 11 away, the row at 2 is 1 and 9 away.
    assert found.strength == pytest.approx([1 - 1 / 11, 1 - 1 / 9, 1 - 1 / 9, 1 - 1 / 11], abs=1e-6)


def test_one_cluster_holds_everything_firmly():
    found = kmeans(_groups(), clusters=1, streams=Streams(0))
    assert found.strength.tolist() == [1.0] * 50


def test_codes_are_taken_as_minus_and_plus_one():
    bits = np.random.default_rng(0).random((40, 12)) < 0.5
    signs = np.where(bits, 1, -1).astype(np.float32)
    one = kmeans(bits, clusters=4, streams=Streams(3))
    other = kmeans(signs, clusters=4, streams=Streams(3))
    assert np.array_equal(one.labels, other.labels)
    assert np.array_equal(cdist(signs, signs, "sqeuclidean"), 4 * 12 * cdist(bits, bits, "hamming"))
    assert (one.space, other.space) == ("code", "activation")


def test_the_seed_decides_the_starts():
    points = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    same = [kmeans(points, clusters=8, streams=Streams(1), restarts=1).labels for _ in range(2)]
    others = [kmeans(points, clusters=8, streams=Streams(seed), restarts=1).labels for seed in range(2, 6)]
    assert np.array_equal(*same)
    assert any(not np.array_equal(same[0], other) for other in others)


def test_bisecting_splits_the_largest_cluster_or_that_of_the_greatest_spread():
    # Seven rows close together, three far apart: the first split parts them.
    points = np.array([0.0, 0.1, 0.2, 0.3, 5.0, 5.1, 5.2, 50.0, 60.0, 70.0], dtype=np.float32)[:, None]
    found = {
        split: bisecting_kmeans(points, clusters=3, streams=Streams(0), split=split).labels.tolist()
        for split in ("largest_cluster", "biggest_inertia")
    }
    assert found["largest_cluster"] == [0] * 4 + [1] * 3 + [2] * 3
    assert found["biggest_inertia"][:7] == [0] * 7
    assert len(set(found["biggest_inertia"][7:])) == 2


def test_rows_nearer_to_another_centre_than_their_own_have_no_strength():
    points = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    found = bisecting_kmeans(points, clusters=7, streams=Streams(0))
    centres = np.stack([points[found.labels == cluster].mean(0) for cluster in range(7)])
    nearest = cdist(points, centres).argmin(1)
    strays = nearest != found.labels
    assert 0 < strays.sum() < 100
    assert (found.strength[strays] == 0).all()
    assert (found.strength[~strays] > 0).all()


def test_bisecting_names_what_it_did_and_finds_medoids():
    found = bisecting_kmeans(_groups(), clusters=3, streams=Streams(0), restarts=2)
    assert found.labels.tolist() == [2] * 10 + [0] * 25 + [1] * 15
    assert found.method == "bisecting k-means (3 clusters, largest cluster first, best of 2 starts)"
    assert found.labels[found.exemplars].tolist() == [0, 1, 2]


def test_a_largest_cluster_of_equal_rows_cannot_be_split():
    points = np.array([[0.0]] * 10 + [[5.0], [6.0], [7.0]], dtype=np.float32)
    with pytest.raises(DataError, match="after 2, the rows of the one to split are all equal"):
        bisecting_kmeans(points, clusters=3, streams=Streams(0))
    found = bisecting_kmeans(points, clusters=3, streams=Streams(0), split="biggest_inertia")
    assert found.n_clusters == 3


@pytest.mark.parametrize("cluster", [kmeans, bisecting_kmeans])
@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.repeat(np.eye(2, dtype=np.float32), 50, axis=0), "2 distinct rows cannot make 3 clusters"),
        (np.zeros((2, 2), np.float32), "2 rows are too few to cluster: 3 clusters are asked for"),
        (np.full((5, 2), np.nan, np.float32), "5 of 5 rows hold NaN"),
        (np.zeros((5, 0), np.float32), "no columns"),
        (np.zeros((5, 2), np.uint8), "packed bits have no means"),
    ],
)
def test_points_that_cannot_be_clustered_are_refused_in_words(cluster, points, message):
    with pytest.raises(DataError, match=message):
        cluster(points, clusters=3, streams=Streams(0))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"clusters": 0}, "clusters is 0: every row belongs to one"),
        ({"clusters": 2, "restarts": 0}, "restarts is 0"),
    ],
)
def test_numbers_that_make_no_clusters_are_refused(numbers, message):
    with pytest.raises(DataError, match=message):
        bisecting_kmeans(_groups(), streams=Streams(0), **numbers)
