"""Promises about sizes of clusters, over all combinations of what else is asked for."""

from __future__ import annotations

import itertools
from contextlib import suppress

import numpy as np
import pytest

from polylens.clustering import bisecting_kmeans, hdbscan, hierarchy, kmeans
from polylens.errors import DataError
from polylens.streams import Streams


def _points() -> np.ndarray:
    """Three groups of 18 to 40 rows, noise between them, and some rows that are equal."""
    rng = np.random.default_rng(3)
    groups = [rng.normal(place, 0.6, (size, 2)) for place, size in ((0, 30), (4, 18), (9, 40))]
    points = np.concatenate([*groups, rng.uniform(-3, 12, (12, 2))]).astype(np.float32)
    points[5:9] = points[4]
    return points


def _bits() -> np.ndarray:
    rng = np.random.default_rng(3)
    return (rng.random((5, 24)) < 0.5)[rng.integers(0, 5, 90)] ^ (rng.random((90, 24)) < 0.06)


@pytest.mark.parametrize(
    ("points", "metric", "min_samples"), [(_points(), "euclidean", 1), (_bits(), "hamming", 3)]
)
def test_no_cluster_is_smaller_or_larger_than_asked_for(points, metric, min_samples):
    of = hierarchy(points, metric=metric, min_samples=min_samples)
    largest_seen = 0
    for selection, least, most, epsilon in itertools.product(
        ("eom", "leaf"), (2, 5), (None, 2, 5, 12, 30), (0.0, 0.3, 50.0)
    ):
        # The library's own tree is made anew each time, so fewer of its options are looked at.
        for ties in ("at_once", "library") if epsilon == 0.3 or least == 5 else ("at_once",):
            limits = {"min_cluster_size": least, "max_cluster_size": most, "epsilon": epsilon}
            own = {"of": of} if ties == "at_once" else {}
            given = {"metric": metric, "min_samples": min_samples, "exemplars": False, **own}
            contradicts = most is not None and most < least
            library_cannot = ties == "library" and (epsilon > 0 or (most is not None and selection == "leaf"))
            if contradicts or library_cannot:
                # Some versions of scikit-learn can merge by epsilon, where no largest size is asked for.
                with suppress(DataError) if library_cannot and most is None else pytest.raises(DataError):
                    hdbscan(points, selection=selection, ties=ties, **limits, **given)
                continue
            found = hdbscan(points, selection=selection, ties=ties, **limits, **given)
            sizes = np.bincount(found.labels[found.labels >= 0])
            assert sizes.min(initial=least) >= least
            assert sizes.max(initial=0) <= (most or len(points))
            assert set(found.labels.tolist()) <= {-1, *range(len(sizes))}
            largest_seen = max(largest_seen, sizes.max(initial=0))
    assert largest_seen > 30


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
@pytest.mark.parametrize("make", [kmeans, bisecting_kmeans])
def test_as_many_clusters_are_made_as_are_asked_for_or_it_is_refused(make, offset):
    # Far from the origin, single precision makes most of these rows equal.
    points = (offset + np.random.default_rng(0).normal(0, 1e-3, (30, 2))).astype(np.float32)
    for clusters in (1, 2, 5, 12, 30):
        try:
            found = make(points, clusters=clusters, streams=Streams(0), restarts=2)
        except DataError:
            assert len(np.unique(points, axis=0)) < 30
            continue
        assert sorted(set(found.labels.tolist())) == list(range(clusters))
