from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from polylens.analyses import Outcome
from polylens.analyses._partitions.distances import cluster_distances
from polylens.analyses.bisecting_kmeans import BisectingKmeans
from polylens.analyses.hdbscan import Hdbscan
from polylens.analyses.kmeans import Kmeans
from polylens.clustering import scale_points
from polylens.errors import DataError
from polylens.records import Partition


@pytest.mark.parametrize("on", ["activation", "code"])
@pytest.mark.parametrize("kind", [Kmeans, BisectingKmeans])
def test_groups_are_found_and_findings_repeat(kind, on, grouped, find, same_findings):
    analysis = kind(on=on, clusters=4, subsamples=3)
    rows = grouped()
    found = find(analysis, rows)
    assert np.bincount(found.partition.labels).tolist() == [25, 25, 25, 25]
    assert found.numbers["coverage"].value == 1.0
    assert found.numbers["mean_strength"].interval.startswith("5 to 95 % of 3 subsamples")
    assert found.numbers["stability_adjusted_rand"].value == pytest.approx(1.0)
    assert same_findings(found, find(analysis, rows))


def test_one_seed_draws_the_same_subsamples_for_every_kind_of_partition(grouped, find):
    rows = grouped()
    kinds = [
        Kmeans(on="activation", clusters=4, subsamples=2),
        BisectingKmeans(on="code", clusters=4, subsamples=2),
        Hdbscan(on="code", curve=(), subsamples=2),
        Hdbscan(on="code", curve=(), subsamples=2, ties="library"),
    ]
    first, *others = (find(kind, rows).partition.alternatives for kind in kinds)
    for other in others:
        assert all(np.array_equal(a.rows, b.rows) for a, b in zip(first, other, strict=True))


def test_a_subsample_with_too_few_distinct_rows_is_left_out_and_named(make_rows, find):
    points = np.zeros((20, 1))
    points[:2, 0] = [1.0, 2.0]  # three distinct rows, two of them single
    found = find(Kmeans(on="activation", clusters=3), make_rows(points))
    kept = [item for item in found.partition.alternatives if item.name == "subsample"]
    assert 0 < len(found.notes) == 10 - len(kept)
    assert "distinct rows cannot make 3 clusters" in found.notes[0]


@pytest.mark.parametrize("kind", [Kmeans, BisectingKmeans])
def test_too_few_rows_are_an_error(kind, make_rows, find):
    with pytest.raises(DataError, match="1 distinct rows cannot make 2 clusters"):
        find(kind(on="activation", clusters=2), make_rows(np.zeros((20, 1))))
    with pytest.raises(DataError, match="20 rows are too few to cluster: 21 clusters are asked for"):
        find(kind(on="activation", clusters=21), make_rows(np.zeros((20, 1))))


@pytest.mark.parametrize("kind", [Kmeans, BisectingKmeans])
def test_bits_have_no_scale(kind):
    with pytest.raises(ValidationError, match="'scale' is for activations"):
        kind(on="code", clusters=3, scale="centre")


@pytest.mark.parametrize("kind", [Kmeans, BisectingKmeans])
def test_raw_inputs_are_clustered_alike(kind):
    assert kind(on="code", clusters=3).on_inputs() == kind(on="activation", clusters=3)


def test_pictures_can_be_drawn(grouped, find):
    rows = grouped()
    analysis = Kmeans(on="code", clusters=3, subsamples=0)
    figures = analysis.draw({"network": (Outcome(rows, find(analysis, rows), {}),)}, subject="x")
    assert [figure.name for figure in figures] == [
        "cluster-sizes",
        "row-map",
        "distances",
        "codes-by-cluster",
        "medoid-codes",
    ]


@pytest.mark.parametrize("scale", ["none", "centre", "standardise"])
def test_distances_of_drawn_pairs_are_those_of_the_scaled_rows(scale, make_rows):
    values = np.random.default_rng(0).normal(size=(40, 3)) * [1, 10, 100] + 7
    rows, labels = make_rows(values), np.arange(40) % 2
    partition = Partition(labels, np.ones(40, np.float32), np.array([0, 1]), "by hand", "activation")
    found, expected = (
        cluster_distances(
            some,
            partition,
            on="activation",
            metric="euclidean",
            scale=how,
            generator=np.random.default_rng(1),
        )
        for some, how in ((rows, scale), (make_rows(scale_points(rows.activations, scale=scale)), "none"))
    )
    assert np.array_equal(found.within, expected.within)
    assert np.array_equal(found.between, expected.between)
