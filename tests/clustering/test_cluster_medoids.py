from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.clustering.trees import METRICS, distances

from polylens.clustering import by_falling_size
from polylens.clustering import medoids as find_medoids
from polylens.errors import DataError


def _by_hand(points: np.ndarray, labels: np.ndarray, metric: str) -> list[int]:
    chosen = []
    for cluster in range(labels.max() + 1):
        members = np.flatnonzero(labels == cluster)
        summed = distances(points[members], metric).sum(1)
        chosen.append(int(members[np.flatnonzero(summed <= summed.min() + 1e-9)[0]]))
    return chosen


def _some(metric: str, rows: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if metric in ("hamming", "jaccard"):
        return rng.random((rows, width)) < 0.4
    return rng.normal(size=(rows, width)).astype(np.float32) + 0.5


def _one(rows: int) -> np.ndarray:
    return np.zeros(rows, dtype=np.int64)


@pytest.mark.parametrize("metric", METRICS)
def test_medoids_are_those_of_all_pairs(metric):
    points = _some(metric, 200, 21, 0)
    labels = np.random.default_rng(1).integers(-1, 3, 200)
    assert find_medoids(points, labels=labels, metric=metric).tolist() == _by_hand(points, labels, metric)


@settings(max_examples=100, deadline=None)
@given(
    arrays(np.int64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(-1, 2)),
    st.sampled_from(METRICS),
)
def test_of_equals_the_first_is_the_medoid(values, metric):
    points = values > 0 if metric in ("hamming", "jaccard") else values.astype(np.float32)
    assert find_medoids(points, labels=_one(len(points)), metric=metric).tolist() == _by_hand(
        points, _one(len(points)), metric
    )


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_packed_bits_have_the_medoids_of_their_bits(metric):
    for seed in range(5):
        points = _some(metric, 150, 77, seed)
        labels = np.random.default_rng(seed).integers(-1, 2, 150)
        packed = np.packbits(points, axis=1)
        assert find_medoids(packed, labels=labels, metric=metric).tolist() == _by_hand(points, labels, metric)


@pytest.mark.parametrize("metric", METRICS)
def test_pieces_give_the_same_medoids(metric, monkeypatch):
    points = _some(metric, 700, 9, 2)
    whole = find_medoids(points, labels=_one(700), metric=metric)
    monkeypatch.setattr("polylens.clustering.summed_distances._CHUNK_NUMBERS", 10_000)
    assert np.array_equal(find_medoids(points, labels=_one(700), metric=metric), whole)
    if points.dtype == np.bool_:
        packed = np.packbits(points, axis=1)
        assert np.array_equal(find_medoids(packed, labels=_one(700), metric=metric), whole)


@pytest.mark.parametrize("metric", METRICS)
def test_a_medoid_that_stands_once_more_in_front_is_found_there(metric):
    points = _some(metric, 700, 30, 3)
    (found,) = find_medoids(points, labels=_one(700), metric=metric)
    assert found == _by_hand(points, _one(700), metric)[0]
    twice = np.concatenate([points[[found]], points])
    assert find_medoids(twice, labels=_one(701), metric=metric).tolist() == [0]


@pytest.mark.parametrize("metric", METRICS)
def test_the_first_of_many_equal_rows_is_their_medoid(metric):
    points = np.repeat(_some(metric, 1, 40, 4), 800, axis=0)
    labels = _one(800)
    labels[:3] = -1
    assert find_medoids(points, labels=labels, metric=metric).tolist() == [3]


def test_far_from_the_origin_medoids_are_still_those_of_all_pairs():
    points = _some("euclidean", 700, 3, 0) + np.float32(1000)
    for metric in ("euclidean", "l1", "cosine"):
        expected = _by_hand(points, _one(700), metric)
        assert find_medoids(points, labels=_one(700), metric=metric).tolist() == expected


def test_a_row_of_zeros_is_at_1_from_every_direction_and_at_0_from_its_like():
    rows = np.array([[1, 0], [-1, 0], [0, 0], [0, 0], [0, 0], [0, 1]], dtype=np.float32)
    # Three zeros: 3 from three directions. The row (0, 1): 1 + 1 + 3. The row (1, 0): 2 + 1 + 3.
    assert find_medoids(rows, labels=_one(6), metric="cosine").tolist() == [2]


def test_medoids_of_many_packed_rows_take_little_memory():
    packed = np.random.default_rng(0).integers(0, 256, (30_000, 3072 // 8), dtype=np.uint8)
    find_medoids(packed[:10], labels=_one(10), metric="hamming")
    tracemalloc.start()
    find_medoids(packed, labels=_one(30_000), metric="hamming")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 90e6  # the bits alone, unpacked, are 92 MB


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


@pytest.mark.usefixtures("unchecked_shapes")
def test_what_does_not_fit_is_refused() -> None:
    points = np.zeros((3, 2), np.float32)
    with pytest.raises(DataError, match="metric 'hamming' does not fit activations"):
        find_medoids(points, labels=np.zeros(3, np.int64), metric="hamming")
    with pytest.raises(DataError, match="2 labels are not one for each of 3 rows"):
        find_medoids(points, labels=np.zeros(2, np.int64), metric="euclidean")
