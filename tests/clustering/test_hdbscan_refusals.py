from __future__ import annotations

import numpy as np
import pytest
from tests.clustering import brute

from polylens.clustering import hdbscan, hierarchy
from polylens.errors import DataError


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((1, 3), np.float32), "1 row is too few to cluster: min_samples is 5"),
        (np.zeros((4, 3), np.float32), "4 rows are too few to cluster: min_samples is 5"),
        (np.zeros((9, 0), np.float32), "no columns"),
        (
            np.array([[0.0], [np.nan]] * 5, np.float32),
            "5 of 10 rows hold NaN or infinity .the first is row 1.",
        ),
        (np.array([[np.inf]] * 5, np.float32), "5 of 5 rows"),
        (np.zeros((9, 3), bool), "'euclidean' does not fit bits"),
        (np.zeros((9, 3), np.uint8), "'euclidean' does not fit bits"),
    ],
)
def test_points_that_cannot_be_clustered_are_refused_in_words(points, message):
    with pytest.raises(DataError, match=message):
        hdbscan(points, metric="euclidean", min_cluster_size=5)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"max_cluster_size": 4}, "max_cluster_size .4. is below min_cluster_size .5."),
        ({"epsilon": -0.5}, "epsilon is -0.5"),
        ({"epsilon": float("nan")}, "epsilon is nan"),
        ({"min_cluster_size": 1}, "min_cluster_size is 1"),
        ({"min_samples": 0}, "min_samples is 0"),
        ({"min_samples": 10}, "9 rows are too few to cluster: min_samples is 10"),
        ({"bits": 25}, "packed rows of 3 bytes hold 1 to 24 bits, not 25"),
        ({"metric": "l1"}, "'l1' does not fit bits"),
    ],
)
def test_limits_that_make_no_sense_are_refused_in_words(how, message):
    with pytest.raises(DataError, match=message):
        hdbscan(np.zeros((9, 3), np.uint8), **{"metric": "hamming", **how})


def test_a_number_of_bits_is_for_packed_rows():
    with pytest.raises(DataError, match="'bits' is for packed rows"):
        hdbscan(np.zeros((9, 3), bool), metric="hamming", bits=3)


def test_a_hierarchy_of_something_else_is_refused():
    points = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    of = brute.hierarchy(points, metric="euclidean", min_samples=4)
    with pytest.raises(DataError, match="its metric is euclidean, not l1"):
        hdbscan(points, metric="l1", of=of)
    with pytest.raises(DataError, match="its min_samples is 4, not 3"):
        hdbscan(points, metric="euclidean", min_samples=3, of=of)
    with pytest.raises(DataError, match="its rows is 40, not 39"):
        hdbscan(points[:39], metric="euclidean", of=of)
    with pytest.raises(DataError, match="ties: library"):
        hdbscan(points, metric="euclidean", of=of, ties="library")


_NUMBERS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("points", "how", "message"),
    [
        (_NUMBERS.tolist(), {}, "not a list"),
        (_NUMBERS[:, 0], {}, r"shape \(40,\)"),
        (_NUMBERS.astype(float), {}, "not of float64"),
        (_NUMBERS, {"metric": "euclidian"}, "no metric 'euclidian'; did you mean 'euclidean'"),
        (_NUMBERS, {"selection": "eon"}, "no selection 'eon'; did you mean 'eom'"),
        (_NUMBERS, {"ties": "libary"}, "no ties 'libary'; did you mean 'library'"),
        (_NUMBERS, {"min_cluster_size": 5.0}, "min_cluster_size is 5.0: it is a whole number"),
        (_NUMBERS, {"min_samples": "5"}, "min_samples is '5': it is a whole number"),
        (_NUMBERS, {"device": "gpu"}, "no device 'gpu'"),
    ],
)
def test_what_types_would_refuse_is_refused_in_words_too(points, how, message):
    with pytest.raises(DataError, match=message):
        hdbscan(points, **{"metric": "euclidean", **how})


def test_a_spanning_tree_has_neighbours():
    with pytest.raises(DataError, match="min_samples is 0"):
        hierarchy(_NUMBERS, metric="euclidean", min_samples=0)


def test_packed_rows_with_more_bits_than_are_said_to_be_are_refused():
    packed = np.packbits(_NUMBERS > 0, axis=1)
    assert len(hierarchy(packed, metric="hamming", bits=3).order) == 40
    with pytest.raises(DataError, match="3 bits have bits set in 4 places"):
        hierarchy(packed | 1, metric="hamming", bits=3)
