from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from tests.clustering.trees import BIT_METRICS, METRICS

from polylens.clustering import assign_rows, assigning, hdbscan, hdbscan_of_sample, kmeans
from polylens.errors import DataError
from polylens.streams import Streams

BITS = 90


def groups(metric, *, rows, seed):
    """Rows around the same eight centres whatever the seed, with some scattered ones."""
    centres = np.random.default_rng(99).normal(size=(8, BITS))
    generator = np.random.default_rng(seed)
    values = centres[generator.integers(0, 8, rows)] + 0.3 * generator.normal(size=(rows, BITS))
    values[: rows // 8] = 1.3 * generator.normal(size=(rows // 8, BITS))
    return values > 0 if metric in BIT_METRICS else values.astype(np.float32)


def by_hand(new, among, partition, metric):
    """The definition, row by row, on scipy's distances."""
    of = partition.hierarchy
    apart = cdist(
        new if metric in BIT_METRICS else new.astype(np.float64),
        among if metric in BIT_METRICS else among.astype(np.float64),
        {"l1": "cityblock"}.get(metric, metric),
    )
    core = np.sort(apart, axis=1)[:, of.min_samples - 2] if of.min_samples > 1 else np.zeros(len(new))
    joined = np.maximum(apart, of.core[None])
    labels = np.full(len(new), -1)
    for row, reach in enumerate(joined):
        first = np.flatnonzero(reach <= reach.min() * (1 + 1e-12))
        found = partition.labels[first]
        label = found[found >= 0].min(initial=partition.n_clusters)
        if label == partition.n_clusters:
            continue
        if max(core[row], reach.min()) < partition.lifetimes[label, 0]:
            labels[row] = label
    return labels


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("min_samples", [1, 4])
def test_new_rows_are_assigned_as_defined(metric, min_samples):
    among, new = groups(metric, rows=400, seed=0), groups(metric, rows=3000, seed=1)
    partition = hdbscan(among, metric=metric, min_cluster_size=10, min_samples=min_samples)
    found = assign_rows(new, among=among, partition=partition)
    np.testing.assert_array_equal(found.labels, by_hand(new, among, partition, metric))
    assert len(np.unique(found.labels)) > 5
    assert (found.strength[found.labels < 0] == 0).all()
    assert ((found.strength[found.labels >= 0] > 0) & (found.strength[found.labels >= 0] <= 1)).all()


@pytest.mark.parametrize("metric", METRICS)
def test_clustered_rows_are_assigned_to_their_own_cluster(metric):
    points = groups(metric, rows=500, seed=0)
    partition = hdbscan(points, metric=metric, min_cluster_size=8)
    again = assign_rows(points, among=points, partition=partition)
    clustered = partition.labels >= 0
    assert clustered.sum() > 300
    np.testing.assert_array_equal(again.labels[clustered], partition.labels[clustered])
    assert (again.strength[clustered] >= partition.strength[clustered] - 1e-6).all()


def test_packed_rows_and_a_single_row():
    among, new = groups("hamming", rows=400, seed=0), groups("hamming", rows=70, seed=1)
    packed = np.packbits(among, axis=1)
    partition = hdbscan(packed, metric="hamming", bits=BITS)
    expected = assign_rows(new, among=among, partition=hdbscan(among, metric="hamming"))
    found = assign_rows(np.packbits(new, axis=1), among=packed, partition=partition)
    np.testing.assert_array_equal(found.labels, expected.labels)
    alone = assign_rows(new[:1], among=among, partition=hdbscan(among, metric="hamming"))
    assert alone.labels.tolist() == expected.labels[:1].tolist()


@pytest.mark.parametrize("metric", ["hamming", "euclidean"])
def test_the_clusters_of_a_sample_stand_for_all_rows(metric):
    points = groups(metric, rows=3000, seed=0)
    sample = np.sort(np.random.default_rng(1).choice(3000, 600, replace=False))
    of_sample = hdbscan(points[sample], metric=metric, min_cluster_size=10)
    found = hdbscan_of_sample(points, sample=sample, of_sample=of_sample)
    sizes = np.bincount(found.labels[found.labels >= 0])
    assert (np.diff(sizes) <= 0).all()
    assert found.hierarchy is None
    assert "sample of 600 of 3,000 rows" in found.method
    np.testing.assert_array_equal(found.labels[found.exemplars], np.arange(found.n_clusters))
    # Only the numbers of clusters may differ on the sample: one to one.
    pairs = set(zip(found.labels[sample].tolist(), of_sample.labels.tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    for old, new in pairs:
        if old >= 0:
            assert found.persistence[old] == of_sample.persistence[new]
    whole = hdbscan(points, metric=metric, min_cluster_size=50)
    same = found.labels[whole.labels >= 0], whole.labels[whole.labels >= 0]
    assert whole.n_clusters == found.n_clusters == 8
    assert len(set(zip(*(labels.tolist() for labels in same), strict=True))) <= 16


@pytest.mark.parametrize("metric", ["hamming", "euclidean"])
def test_rows_that_are_assigned_a_few_at_a_time_go_where_all_at_once_go(metric, monkeypatch):
    points = groups(metric, rows=1000, seed=3)
    sample = np.arange(0, 1000, 4)
    of_sample = hdbscan(points[sample], metric=metric, min_cluster_size=10)
    at_once = hdbscan_of_sample(points, sample=sample, of_sample=of_sample)
    monkeypatch.setattr(assigning, "_COPIED_BYTES", 70 * points[:1].nbytes)
    in_parts = hdbscan_of_sample(points, sample=sample, of_sample=of_sample)
    np.testing.assert_array_equal(in_parts.labels, at_once.labels)
    np.testing.assert_array_equal(in_parts.strength, at_once.strength)


def test_what_cannot_be_assigned_is_said():
    points = groups("euclidean", rows=200, seed=0)
    partition = hdbscan(points, metric="euclidean")
    with pytest.raises(DataError, match="no heights"):
        assign_rows(points, among=points, partition=kmeans(points, clusters=3, streams=Streams(0)))
    for sample in (np.arange(199), np.zeros(200, dtype=np.int64)):
        with pytest.raises(DataError, match="does not fit"):
            hdbscan_of_sample(points, sample=sample, of_sample=partition)
    with pytest.raises(DataError, match="200 rows, not of 199"):
        assign_rows(points, among=points[1:], partition=partition)
    with pytest.raises(DataError, match="do not fit"):
        assign_rows(points[:, 1:], among=points, partition=partition)
    with pytest.raises(DataError, match="NaN"):
        assign_rows(np.full_like(points, np.nan), among=points, partition=partition)
    alike = np.ones((30, 4), dtype=np.float32)
    nothing = assign_rows(alike, among=alike, partition=hdbscan(alike, metric="euclidean"))
    assert (nothing.labels == -1).all()
