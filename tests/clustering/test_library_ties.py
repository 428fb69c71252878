from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN

from polylens.clustering import by_falling_size, hdbscan
from polylens.errors import DataError

_NAMES = {"l1": "manhattan"}


def _points(metric: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    if metric in ("hamming", "jaccard"):
        return np.repeat(rng.random((3, 45)) < 0.5, 20, axis=0) ^ (rng.random((60, 45)) < 0.1)
    return np.repeat(rng.normal(size=(3, 4)), 20, axis=0).astype(np.float32) + np.float32(
        rng.normal(0, 0.1, (60, 4))
    )


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "l1", "hamming", "jaccard"])
def test_library_gives_what_scikit_learn_gives_and_no_hierarchy(metric):
    points = _points(metric)
    found = hdbscan(points, metric=metric, min_cluster_size=4, min_samples=3, ties="library")
    fitted = HDBSCAN(metric=_NAMES.get(metric, metric), min_cluster_size=4, min_samples=3, copy=True)
    fitted.fit(points.astype(np.float64))
    assert np.array_equal(found.labels, by_falling_size(fitted.labels_))
    assert found.strength == pytest.approx(fitted.probabilities_, abs=1e-6)
    assert found.n_clusters >= 3
    assert (found.hierarchy, found.persistence) == (None, None)
    assert found.labels[found.exemplars].tolist() == list(range(found.n_clusters))
    assert found.method.endswith("min_samples 3, eom, ties as in scikit-learn)")


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_library_takes_packed_bits(metric):
    points = _points(metric)
    plain = hdbscan(points, metric=metric, ties="library")
    packed = hdbscan(np.packbits(points, axis=1), metric=metric, bits=45, ties="library")
    assert np.array_equal(packed.labels, plain.labels)


def test_library_is_given_epsilon_in_the_unit_that_it_counts_in(monkeypatch):
    asked = []
    fit = HDBSCAN.fit

    def watched(self, points):
        asked.append(self.cluster_selection_epsilon)
        return fit(self, points)

    monkeypatch.setattr(HDBSCAN, "fit", watched)
    # 45 bits fill 48: a share of 1e-9 of the bits is 45/48 of that of the columns.
    hdbscan(np.packbits(_points("hamming"), axis=1), metric="hamming", bits=45, epsilon=1e-9, ties="library")
    hdbscan(_points("hamming"), metric="hamming", epsilon=1e-9, ties="library")
    assert asked == pytest.approx([1e-9 * 45 / 48, 1e-9])


def test_a_library_that_fails_at_epsilon_is_named(monkeypatch):
    def fail(self, points):
        raise TypeError("only 0-dimensional arrays can be converted to Python scalars")

    monkeypatch.setattr(HDBSCAN, "fit", fail)
    with pytest.raises(DataError, match="scikit-learn fails at 'epsilon'"):
        hdbscan(_points("l1"), metric="l1", epsilon=0.1, ties="library")
    with pytest.raises(TypeError):
        hdbscan(_points("l1"), metric="l1", ties="library")
