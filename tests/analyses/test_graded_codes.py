"""Analyses of graded codes: compared by L1 distance, and no bits are read of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polylens.analyses import NETWORK, Outcome
from polylens.analyses._partitions.spaces import metric_for
from polylens.analyses.bisecting_kmeans import BisectingKmeans
from polylens.analyses.code_statistics import CodeStatistics
from polylens.analyses.hdbscan import Hdbscan
from polylens.analyses.kmeans import Kmeans
from polylens.analyses.spanning_tree import SpanningTree
from polylens.errors import DataError
from polylens.records import CodeLayer, Codes, CodeScheme


@pytest.fixture
def graded(grouped):
    """The groups of rows with gates in place of activations and bits."""
    rows = grouped()
    gates = (1 / (1 + np.exp(-rows.activations))).astype(np.float32)
    layers = (CodeLayer("one", 4, 0, "gate"), CodeLayer("two", 2, 0, "gate"))
    scheme = CodeScheme(layers, names_polytopes=False, reason="made by hand", metric="l1", is_proxy=True)
    return replace(rows, codes=Codes(gates, scheme))


@pytest.mark.parametrize("metric", [None, "l1"])
def test_hdbscan_compares_gates_by_l1(metric, graded, find):
    alike = replace(graded, activations=graded.codes.graded)
    analysis = Hdbscan(on="code", metric=metric, curve=(), subsamples=1)
    found = find(analysis, graded)
    by_hand = find(Hdbscan(on="activation", metric="l1", curve=(), subsamples=1), alike)
    np.testing.assert_array_equal(found.partition.labels, by_hand.partition.labels)
    assert found.partition.space == "code"
    assert found.partition.method.startswith("HDBSCAN (l1")
    assert found.partition.method.endswith("of codes")


@pytest.mark.parametrize("kind", [Kmeans, BisectingKmeans])
def test_centres_of_gates_are_euclidean(kind, graded, find):
    alike = replace(graded, activations=graded.codes.graded)
    found = find(kind(on="code", clusters=4, subsamples=1), graded)
    by_hand = find(kind(on="activation", clusters=4, subsamples=1), alike)
    np.testing.assert_array_equal(found.partition.labels, by_hand.partition.labels)
    assert found.partition.space == "code"


@pytest.mark.parametrize("analysis", [Hdbscan(on="code", subsamples=0), Kmeans(on="code", clusters=4)])
def test_pictures_of_gates_show_no_bits(analysis, graded, find):
    outcome = Outcome(graded, find(analysis, graded), {})
    names = {figure.name for figure in analysis.draw({NETWORK: (outcome,)}, subject="A test.")}
    assert {"cluster-sizes", "row-map", "distances"} <= names
    assert not {"codes-by-cluster", "medoid-codes"} & names


def test_what_reads_bits_says_that_it_needs_a_hard_code(graded, grouped, find):
    with pytest.raises(DataError, match="bits of a hard code") as error:
        find(CodeStatistics(), graded)
    assert "kind sign" in (error.value.hint or "")
    with pytest.raises(DataError, match="metric 'hamming' needs the bits of a hard code"):
        find(SpanningTree(on="code", metric="hamming"), graded)
    with pytest.raises(DataError, match="metric 'l1' is for graded codes"):
        find(SpanningTree(on="code", metric="l1"), grouped())
    assert metric_for(grouped(), on="code", metric=None) == "hamming"


def test_one_tree_serves_the_metric_that_is_meant_and_the_one_that_is_named():
    assert SpanningTree(on="code", metric="l1").identity() == SpanningTree(on="code").identity()
    assert SpanningTree(on="activation", metric="l1").identity() != SpanningTree(on="activation").identity()


def test_chosen_rows_keep_their_gates(graded):
    taken = graded.take(np.array([3, 1]))
    np.testing.assert_array_equal(taken.codes.graded, graded.codes.graded[[3, 1]])
