from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from polylens.clustering import blocks, kmeans, moving_centres
from polylens.clustering.moving_centres import settle
from polylens.clustering.nearest_centres import BoundedNearest
from polylens.clustering.rows_as_numbers import RowValues
from polylens.clustering.torch_centres import TorchNearest
from polylens.errors import DataError
from polylens.progress import Unseen
from polylens.streams import Streams


def settled(rows, centres, *, nearest=None):
    values = RowValues.of(rows)
    nearest = nearest or BoundedNearest(values, origin=values.mean())
    variance = float(rows.astype(np.float64).var(0).mean())
    return settle(values, centres.astype(np.float64), nearest=nearest, variance=variance, task=Unseen())


def plain_lloyd(rows, centres):
    """The same with all distances, in double precision, to the end."""
    rows, labels = rows.astype(np.float64), None
    while True:
        found = cdist(rows, centres).argmin(1)
        if labels is not None and np.array_equal(found, labels):
            return labels
        labels = found
        centres = np.stack([rows[labels == one].mean(0) for one in range(len(centres))])


def some_rows(seed, *, count=400, width=6, offset=0.0, scale=1.0):
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(9, width))
    rows = centres[generator.integers(0, 9, count)] + 0.6 * generator.normal(size=(count, width))
    return (offset + scale * rows).astype(np.float32)


@pytest.mark.parametrize(("clusters", "width"), [(1, 1), (2, 90), (5, 3), (12, 20)])
@pytest.mark.parametrize(
    ("offset", "scale"), [(0.0, 1e-20), (0.0, 1e-3), (0.0, 1.0), (0.0, 1e15), (1e4, 1.0)]
)
def test_rows_end_where_rounds_with_all_distances_bring_them(clusters, width, offset, scale):
    rows = some_rows(7, width=width, offset=offset * scale, scale=scale)
    first = rows[np.random.default_rng(0).choice(len(rows), clusters, replace=False)].astype(np.float64)
    found = settled(rows, first)
    apart = cdist(rows.astype(np.float64) / scale, found.centres / scale)
    own = apart[np.arange(len(rows)), found.labels]
    # Both sides are double precision: they differ by some roundings, 1e-16 of the largest coordinate each.
    within = {"rtol": 1e-12, "atol": 1e-14 * (1 + offset)}
    np.testing.assert_allclose(own, apart.min(1), **within)
    np.testing.assert_allclose(np.sqrt(found.own) / scale, own, **within)
    if scale >= 1e-3:  # the squares of smaller numbers are lost in the steps that end the rounds
        np.testing.assert_array_equal(found.labels, plain_lloyd(rows, first))


def test_many_rows_take_products_bounds_and_several_threads_and_end_alike(monkeypatch):
    rows = some_rows(1, count=5000, width=70)
    first = rows[np.random.default_rng(1).choice(len(rows), 60, replace=False)]
    found = settled(rows, first)
    np.testing.assert_array_equal(found.labels, plain_lloyd(rows, first.astype(np.float64)))
    for count in (1, 3):
        monkeypatch.setattr(blocks, "cores", lambda count=count: count)
        other = settled(rows, first)
        assert other.labels.tobytes() == found.labels.tobytes()
        assert other.centres.tobytes() == found.centres.tobytes()


def test_the_sum_of_squares_is_scikit_learns_from_the_same_starts():
    rows = load_digits().data.astype(np.float32)
    first = rows[np.random.default_rng(0).choice(len(rows), 20, replace=False)]
    peer = KMeans(20, init=first, n_init=1).fit(rows)
    # Scikit-learn sums in single precision: 1797 terms lose less than 1797 * 2^-24 = 1.1e-4 of the sum.
    assert settled(rows, first).own.sum() == pytest.approx(peer.inertia_, rel=1.1e-4)


def test_centres_without_rows_are_put_on_far_rows_until_every_one_has_some():
    rows = np.repeat(np.arange(12, dtype=np.float32), 3)[:, None]
    found = settled(rows, np.zeros((12, 1)))
    assert sorted(np.bincount(found.labels)) == [3] * 12
    assert found.own.sum() == 0


def test_equal_rows_share_a_cluster_and_the_order_of_rows_does_not_matter():
    rows = np.random.default_rng(0).integers(0, 2, (600, 8)).astype(np.float32)
    first = rows[:1] + np.random.default_rng(1).integers(0, 2, (9, 8))  # halves and copies: distances tie
    shuffled = np.random.default_rng(2).permutation(len(rows))
    found, other = settled(rows, first), settled(rows[shuffled], first)
    for content in np.unique(rows, axis=0):
        assert len(set(found.labels[(rows == content).all(1)])) == 1
    np.testing.assert_array_equal(other.labels, found.labels[shuffled])


def test_products_by_torch_find_the_same_clusters():
    rows = some_rows(3, count=900, offset=100.0)
    first, origin = rows[::60], rows.mean(0, dtype=np.float64)
    by_torch = TorchNearest(RowValues.of(rows), origin=origin, device="cpu")
    found, other = settled(rows, first), settled(rows, first, nearest=by_torch)
    np.testing.assert_array_equal(other.labels, found.labels)
    bounded = BoundedNearest(RowValues.of(rows), origin=origin)
    np.testing.assert_allclose(
        by_torch.next_distances(found.centres, found.labels),
        bounded.next_distances(found.centres, found.labels),
        rtol=1e-9,
    )


def test_starts_among_some_rows_find_the_clusters_of_all(monkeypatch):
    generator = np.random.default_rng(0)
    rows = (np.repeat(10 * np.eye(8), 200, axis=0) + generator.normal(size=(1600, 8))).astype(np.float32)
    monkeypatch.setattr(moving_centres, "_START_PAIRS", 800)
    seen = []
    draw = moving_centres.settle
    monkeypatch.setattr(
        moving_centres, "settle", lambda *given, **named: (seen.append(given[1]), draw(*given, **named))[1]
    )
    found = kmeans(rows, clusters=8, streams=Streams(0), restarts=4)
    assert len({tuple(set(found.labels[start : start + 200])) for start in range(0, 1600, 200)}) == 8
    assert len({centres.tobytes() for centres in seen}) == 4


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="no device 'nowhere' here"):
        kmeans(some_rows(0), clusters=2, streams=Streams(0), device="nowhere")
