from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from polylens.clustering import by_falling_size
from polylens.clustering import medoids as find_medoids


def _by_hand(points: np.ndarray, labels: np.ndarray, metric: str) -> list[int]:
    chosen = []
    for cluster in range(labels.max() + 1):
        members = np.flatnonzero(labels == cluster)
        values = points[members] if metric == "jaccard" else points[members].astype(np.float64)
        summed = cdist(values, values, metric).sum(1)
        chosen.append(int(members[np.flatnonzero(summed <= summed.min() + 1e-9)[0]]))
    return chosen


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_medoids_of_codes_are_those_of_all_pairs(metric):
    bits = np.random.default_rng(0).random((60, 20)) < 0.4
    labels = np.random.default_rng(1).integers(-1, 3, 60)
    assert find_medoids(bits, labels=labels, metric=metric).tolist() == _by_hand(bits, labels, metric)


def test_medoids_of_activations_are_those_of_all_pairs():
    points = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    labels = np.random.default_rng(1).integers(-1, 3, 60)
    found = find_medoids(points, labels=labels, metric="euclidean")
    assert found.tolist() == _by_hand(points, labels, "euclidean")


def test_pieces_give_the_same_medoids(monkeypatch):
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    labels = np.zeros(50, dtype=np.int64)
    whole = find_medoids(points, labels=labels, metric="euclidean")
    monkeypatch.setattr("polylens.clustering.exemplars._CHUNK_DISTANCES", 150)
    assert np.array_equal(find_medoids(points, labels=labels, metric="euclidean"), whole)


def test_medoids_of_large_clusters_are_those_of_all_pairs_and_the_first_of_equals(monkeypatch):
    points = np.random.default_rng(0).normal(size=(700, 3)).astype(np.float32) + 1000
    labels = np.zeros(700, dtype=np.int64)
    (expected,) = _by_hand(points, labels, "euclidean")
    assert find_medoids(points, labels=labels, metric="euclidean").tolist() == [expected]
    monkeypatch.setattr("polylens.clustering.exemplars._CHUNK_DISTANCES", 10_000)
    # The medoid stands once more in front.
    twice = np.concatenate([points[[expected]], points])
    assert find_medoids(twice, labels=np.zeros(701, np.int64), metric="euclidean").tolist() == [0]


def test_the_first_of_equal_members_is_the_medoid():
    points = np.ones((4, 2), np.float32)
    assert find_medoids(points, labels=np.array([-1, 0, 0, 0]), metric="euclidean").tolist() == [1]


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, st.integers(1, 30), elements=st.integers(-1, 6)), st.permutations(range(7)))
def test_numbering_by_size_does_not_depend_on_the_numbers_given(labels, names):
    renamed = np.where(labels >= 0, np.array(names)[labels], -1)
    assert np.array_equal(by_falling_size(labels), by_falling_size(renamed))


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, st.integers(1, 30), elements=st.integers(-1, 6)))
def test_numbering_by_size_keeps_the_clusters_and_falls(labels):
    found = by_falling_size(labels)
    assert np.array_equal(found < 0, labels < 0)
    assert len(np.unique(np.stack([found, labels]), axis=1).T) == len(np.unique(labels))
    sizes = np.bincount(found[found >= 0])
    assert (np.diff(sizes) <= 0).all()
    firsts = [np.flatnonzero(found == cluster)[0] for cluster in range(len(sizes))]
    assert all(firsts[k] < firsts[k + 1] for k in range(len(sizes) - 1) if sizes[k] == sizes[k + 1])
