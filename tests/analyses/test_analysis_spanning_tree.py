from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from polylens.analyses.spanning_tree import SpanningTree
from polylens.errors import DataError


def test_the_tree_is_of_the_bits_without_the_padding_between_layers(make_rows, find):
    bits = np.random.default_rng(0).random((40, 8)) < 0.5
    rows = make_rows(bits={"one": bits[:, :3], "two": bits[:, 3:]})
    assert rows.codes.packed.shape == (40, 2)
    found = find(SpanningTree(on="code", min_samples=1, subsamples=0), rows)
    apart = cdist(bits, bits, "hamming")
    np.testing.assert_allclose(sorted(found.hierarchy.heights), prim(apart), atol=1e-12)
    assert found.hierarchy.metric == "hamming"


def prim(apart: np.ndarray) -> list[float]:
    """Weights of a minimum spanning tree, rising, by its definition."""
    inside, weights = {0}, []
    while len(inside) < len(apart):
        outside = [row for row in range(len(apart)) if row not in inside]
        edges = apart[np.ix_(sorted(inside), outside)]
        weights.append(float(edges.min()))
        inside.add(outside[int(edges.min(0).argmin())])
    return sorted(weights)


def test_subsamples_get_trees_of_their_own(grouped, find):
    found = find(SpanningTree(on="activation", subsamples=3), grouped())
    assert len(found.subhierarchies) == 3
    for sub in found.subhierarchies:
        assert len(sub.rows) == 80 == len(sub.hierarchy.order)
        assert np.array_equal(sub.rows, np.unique(sub.rows))
    assert not np.array_equal(found.subhierarchies[0].rows, found.subhierarchies[1].rows)


def test_ties_and_duplicates_are_counted(make_rows, find):
    # On a line: the joins are 0, 1, 1 and 3 high.
    rows = make_rows(np.array([[0.0], [0.0], [1.0], [2.0], [5.0]]))
    numbers = find(SpanningTree(on="activation", min_samples=1, subsamples=0), rows).numbers
    assert numbers["tied_fraction"].value == 0.5
    assert numbers["zero_fraction"].value == 0.25
    assert numbers["median_height"].value == 1.0
    assert numbers["median_core_distance"].value == 0.0


def test_a_subsample_of_too_few_rows_is_left_out(make_rows, find):
    found = find(SpanningTree(on="activation", min_samples=5), make_rows(np.arange(5.0)[:, None]))
    assert (len(found.hierarchy.order), found.subhierarchies) == (5, ())


def test_a_metric_that_is_meant_is_the_one_that_is_named():
    assert SpanningTree(on="code").identity() == SpanningTree(on="code", metric="hamming").identity()
    assert SpanningTree(on="code").identity() != SpanningTree(on="code", metric="jaccard").identity()


def test_what_does_not_fit_is_refused(make_rows, find):
    with pytest.raises(ValidationError, match="use hamming, jaccard or l1"):
        SpanningTree(on="code", metric="euclidean")
    with pytest.raises(ValidationError, match="'scale' is for activations"):
        SpanningTree(on="code", scale="standardise")
    with pytest.raises(DataError, match="3 rows are too few"):
        find(SpanningTree(on="activation"), make_rows(np.zeros((3, 2))))


def test_raw_inputs_are_compared_by_euclidean_distance():
    inputs = SpanningTree(on="code", metric="jaccard", min_samples=3).on_inputs()
    assert inputs == SpanningTree(on="activation", metric="euclidean", min_samples=3)
