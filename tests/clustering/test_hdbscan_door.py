from __future__ import annotations

import numpy as np
import pytest

from polylens.clustering import hdbscan
from polylens.errors import DataError
from polylens.progress import Silent
from polylens.records import NOISE
from polylens.statistics import adjusted_rand, contingency


def _groups(sizes=(12, 20, 8), *, width=3, spread=0.05, seed=0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    places = 10.0 * np.eye(width)[: len(sizes)]
    parts = [rng.normal(place, spread, (size, width)) for place, size in zip(places, sizes, strict=True)]
    return np.concatenate(parts).astype(np.float32)


def test_separate_groups_are_clusters_numbered_by_falling_size():
    found = hdbscan(_groups(), metric="euclidean", min_cluster_size=5, min_samples=2)
    members = [np.bincount(found.labels[part] + 1, minlength=4).argmax() - 1 for part in _parts()]
    assert members == [1, 0, 2]  # sizes 12, 20, 8
    sizes = np.bincount(found.labels[found.labels >= 0])
    assert (np.diff(sizes) <= 0).all()


def _parts() -> list[slice]:
    return [slice(0, 12), slice(12, 32), slice(32, 40)]


def test_a_row_far_from_everything_is_noise_of_strength_zero():
    points = np.concatenate([_groups(), np.full((1, 3), 500, np.float32)])
    found = hdbscan(points, metric="euclidean", min_cluster_size=5, min_samples=2)
    assert found.labels[-1] == NOISE
    assert found.strength[-1] == 0.0
    assert ((found.strength >= 0) & (found.strength <= 1)).all()
    assert (found.strength[found.labels >= 0] > 0).all()


def test_exemplars_are_rows_of_their_clusters():
    found = hdbscan(_groups(), metric="euclidean", min_cluster_size=5)
    assert found.labels[found.exemplars].tolist() == list(range(found.n_clusters))


def test_codes_are_clustered_by_hamming_distance():
    rng = np.random.default_rng(0)
    prototypes = rng.random((3, 64)) < 0.5
    bits = np.repeat(prototypes, 15, axis=0) ^ (rng.random((45, 64)) < 0.03)
    found = hdbscan(bits, metric="hamming", min_cluster_size=5)
    truth = np.repeat(np.arange(3), 15)
    clustered = found.labels >= 0
    assert found.n_clusters == 3
    assert found.space == "code"
    assert adjusted_rand(contingency(found.labels[clustered], truth[clustered])) == 1.0


def test_identical_codes_make_clusters_of_full_strength():
    bits = np.repeat(np.array([[0, 0, 1], [1, 1, 0]], dtype=bool), 8, axis=0)
    for metric in ("hamming", "jaccard"):
        found = hdbscan(bits, metric=metric, min_cluster_size=5)
        assert found.labels.tolist() == [0] * 8 + [1] * 8
        assert found.strength.tolist() == [1.0] * 16
        assert found.exemplars.tolist() == [0, 8]


def test_cosine_does_not_see_length():
    points = _groups((12, 20)) + 0.5
    stretched = points * np.random.default_rng(0).uniform(0.1, 10, (32, 1)).astype(np.float32)
    one, other = (hdbscan(each, metric="cosine", min_cluster_size=5) for each in (points, stretched))
    assert np.array_equal(one.labels, other.labels)
    assert one.n_clusters == 2


def test_rows_that_are_all_equal_are_all_noise():
    found = hdbscan(np.ones((20, 4), np.float32), metric="euclidean")
    assert found.labels.tolist() == [NOISE] * 20
    assert found.n_clusters == 0
    assert found.exemplars.shape == (0,)


def test_the_same_points_give_the_same_partition():
    points = np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)
    one, other = (hdbscan(points, metric="euclidean", min_cluster_size=4) for _ in range(2))
    assert np.array_equal(one.labels, other.labels)
    assert np.array_equal(one.strength, other.strength)


def test_the_order_of_rows_does_not_matter_where_distances_do_not_tie():
    points = np.concatenate([_groups(), np.random.default_rng(5).normal(4, 3, (30, 3)).astype(np.float32)])
    order = np.random.default_rng(1).permutation(len(points))
    one = hdbscan(points, metric="euclidean", min_cluster_size=5)
    other = hdbscan(points[order], metric="euclidean", min_cluster_size=5)
    assert adjusted_rand(contingency(one.labels[order], other.labels)) == 1.0


def test_leaves_are_at_least_as_many_as_persistent_clusters():
    points = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    eom, leaf = (hdbscan(points, metric="euclidean", selection=how).n_clusters for how in ("eom", "leaf"))
    assert leaf >= eom


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((1, 3), np.float32), "1 row is too few to cluster: min_samples is 5"),
        (np.zeros((4, 3), np.float32), "4 rows are too few to cluster: min_samples is 5"),
        (np.zeros((9, 0), np.float32), "no columns"),
        (
            np.array([[0.0], [np.nan]] * 5, np.float32),
            "5 of 10 rows hold NaN or infinity .the first is row 1.",
        ),
        (np.array([[np.inf]] * 5, np.float32), "5 of 5 rows"),
        (np.zeros((9, 3), bool), "'euclidean' does not fit bits"),
    ],
)
def test_points_that_cannot_be_clustered_are_refused_in_words(points, message):
    with pytest.raises(DataError, match=message):
        hdbscan(points, metric="euclidean", min_cluster_size=5)


def test_the_work_shows_itself():
    class Watching(Silent):
        titles: list[tuple[str, float | None, str]] = []  # noqa: RUF012

        def task(self, title, *, total, unit):
            self.titles.append((title, total, unit))
            return super().task(title, total=total, unit=unit)

    hdbscan(_groups(), metric="euclidean", progress=Watching())
    assert Watching.titles == [("clustering", 40, "rows")]
