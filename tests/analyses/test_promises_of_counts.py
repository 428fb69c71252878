"""What keys of the analyses promise to count, over combinations of their siblings: kept, or noted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from pydantic import ValidationError

from polylens.analyses.code_directions import CodeDirections
from polylens.analyses.code_statistics import CodeStatistics
from polylens.analyses.hdbscan import Hdbscan
from polylens.analyses.kmeans import Kmeans
from polylens.analyses.pair_density import PairDensity
from polylens.analyses.spanning_tree import SpanningTree


@pytest.mark.parametrize("on", ["activation", "code"])
def test_every_clustering_of_the_curve_and_of_subsamples_keeps_the_limits(on, grouped, find):
    rows = grouped(size=15)
    for selection, most, epsilon, sample in itertools.product(
        ("eom", "leaf"), (6, 20), (0.0, 0.2), (None, 40)
    ):
        analysis = Hdbscan(
            on=on,
            min_samples=3,
            selection=selection,
            max_cluster_size=most,
            epsilon=epsilon,
            sample=sample,
            subsamples=2,
            curve=(2, 10, 30),
        )
        found = find(analysis, rows).partition
        kinds = [item.name for item in found.alternatives]
        n_rows = sample or len(rows)
        sizes = [item.value for item in found.alternatives if item.name == "min_cluster_size"]
        assert sizes == [size for size in (2, 10, 30) if size <= most]
        assert kinds.count("subsample") == 2
        for item in found.alternatives:
            least = item.value if item.name == "min_cluster_size" else 5
            assert len(item.rows) == n_rows if item.name == "min_cluster_size" else len(item.rows) < n_rows
            counts = np.bincount(item.labels[item.labels >= 0])
            assert counts.min(initial=least) >= least
            assert counts.max(initial=0) <= most
        counts = np.bincount(found.labels[found.labels >= 0])
        assert counts.min(initial=5) >= 5
        assert sample is not None or counts.max(initial=0) <= most


def test_subsamples_that_are_too_small_are_counted(grouped, find):
    found = find(Hdbscan(on="activation", min_samples=85, subsamples=4, curve=()), grouped())
    assert found.partition.alternatives == ()
    assert "4 of 4 subsamples were left out: they have fewer than 85 rows." in found.notes
    found = find(Kmeans(on="activation", clusters=1, subsamples=3), grouped(1, 2))
    assert [len(item.rows) for item in found.partition.alternatives] == [2, 2, 2]
    assert found.notes == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"min_cluster_size": 9, "max_cluster_size": 8},
        {"min_cluster_size": 30, "sample": 20},
        {"min_samples": 30, "sample": 20},
        {"ties": "library", "max_cluster_size": 9, "selection": "leaf"},
        {"ties": "library", "max_cluster_size": 9, "epsilon": 0.1},
    ],
    ids=str,
)
def test_limits_that_exclude_each_other_are_refused_before_anything_is_computed(fields):
    with pytest.raises(ValidationError, match=r"max_cluster_size|'sample' is below"):
        Hdbscan(on="activation", **fields)


def test_a_sample_smaller_than_a_neighbourhood_has_no_tree():
    with pytest.raises(ValidationError, match="'sample' is below 'min_samples'"):
        SpanningTree(on="activation", min_samples=30, sample=20)


@pytest.mark.parametrize("asked", [12, 40, 100_000])
def test_as_many_pairs_are_drawn_as_are_asked_for_or_the_notes_say_how_many(asked, grouped, find):
    rows = grouped(3, 6)
    exist = {"same": 3 * 15, "different": 3 * 36}
    density = find(PairDensity(pairs=asked, resamples=20, bins=3), rows)
    table = density.tables["pairs"]
    for kind, total in exist.items():
        assert (table["same_class"] == (kind == "same")).sum() == min(asked, total)
    assert not table.duplicated(["left", "right"]).any()
    for found in (density, find(CodeStatistics(pairs=asked, resamples=2), rows)):
        said = [note for note in found.notes if "all were taken" in note]
        assert said == [
            f"Only {total} {kind}-class pairs exist; all were taken."
            for kind, total in exist.items()
            if total < asked
        ]


@pytest.mark.parametrize(("most_rows", "most_bits", "components"), [(40, 10, 3), (100, 24, 1), (50, 5, 40)])
def test_directions_of_codes_look_at_no_more_than_asked_for_and_say_so(
    most_rows, most_bits, components, grouped, find
):
    factors = (("class 0", "class 1"), ("class 0", "class 2"))
    found = find(
        CodeDirections(
            factors=factors,
            components=components,
            most_rows=most_rows,
            most_bits=most_bits,
            permutations=20,
            resamples=20,
        ),
        grouped(),
    )
    assert (f"{most_rows} of 100 examples were looked at." in found.notes) == (most_rows < 100)
    assert (f"{most_bits} of 24 bits were looked at." in found.notes) == (most_bits < 24)
    assert found.tables["curve"]["components"].max() <= min(components, most_bits)
