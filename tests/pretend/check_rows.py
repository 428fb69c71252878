"""What is computed on rows gives the processor's results on another device."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from polylens import devices
from polylens.clustering import bisecting_kmeans, hierarchy, kmeans
from polylens.statistics import sparse_features
from polylens.streams import Streams


def planted(n: int = 150, width: int = 24) -> np.ndarray:
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(6, width))
    points = centres[generator.integers(0, 6, n)] + 0.2 * generator.normal(size=(n, width))
    points[:10] = points[10:20]
    return points.astype(np.float32)


@pytest.mark.parametrize("metric", ["hamming", "jaccard", "euclidean", "cosine", "l1"])
def test_spanning_trees_are_the_processors(
    metric: str, accelerator: str, pretend: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = planted() > 0 if metric in ("hamming", "jaccard") else planted()
    expected = hierarchy(points, metric=metric, device="cpu")
    assert not pretend
    monkeypatch.setattr(devices, "_GPU_ROWS", 20)  # so few rows would not pay; copies are one row
    found = hierarchy(points, metric=metric)
    assert pretend["mm"] + pretend["_cdist_forward"] > 0
    np.testing.assert_array_equal(found.core, expected.core)
    np.testing.assert_array_equal(found.heights, expected.heights)
    np.testing.assert_array_equal(found.order, expected.order)


@pytest.mark.parametrize("cluster", [kmeans, bisecting_kmeans])
def test_clusters_around_centres_are_the_processors(
    cluster, accelerator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = planted()
    with devices.compute_on("cpu"):
        expected = cluster(points, clusters=6, streams=Streams(0))
    monkeypatch.setattr(devices, "_GPU_ROWS", len(points))
    found = cluster(points, clusters=6, streams=Streams(0))
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_allclose(found.strength, expected.strength, atol=1e-5)
    np.testing.assert_array_equal(found.exemplars, expected.exemplars)


def test_a_sparse_autoencoder_is_trained_there(accelerator: str, pretend: Counter[str]) -> None:
    sizes = {"features": 32, "active": 3, "steps": 20, "batch": 16}
    with devices.compute_on("cpu"):
        expected = sparse_features(planted(100), **sizes, streams=Streams(0))
    assert not pretend
    found = sparse_features(planted(100), **sizes, streams=Streams(0))
    assert pretend["mm"] + pretend["addmm"] > 0
    np.testing.assert_allclose(found.components.directions, expected.components.directions, atol=1e-4)
    np.testing.assert_allclose(found.variance, expected.variance, rtol=1e-3)
    assert found.unexplained == pytest.approx(expected.unexplained, rel=1e-3)
