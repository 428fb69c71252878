from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from polylens.clustering import RowValues, euclidean_sums, medoids, scale_points
from polylens.clustering.points import Scaling
from polylens.clustering.sum_bounds import _SQUARE, summed_distance_bounds

finite = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=300, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(-1, 1))
def test_three_terms_are_no_more_than_the_distance(r, s, share):
    a, root = share * s, np.hypot(r, s)
    distance = np.sqrt(max(r * r + s * s - 2 * r * a, 0))
    assert root - r / root * a - _SQUARE / r * a * a <= distance + 1e-9 * root


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(st.integers(1, 30), st.integers(1, 5)).flatmap(
        lambda shape: arrays(np.float32, shape, elements=finite)
    ),
    st.sampled_from([0.0, 1e4]),
)
def test_bounds_are_no_more_than_the_sums_of_any_rows(rows, offset):
    rows = (rows + np.float32(offset)).astype(np.float32)
    exact = cdist(rows.astype(np.float64), rows.astype(np.float64)).sum(1)
    bounds = summed_distance_bounds(RowValues.of(rows))
    # Rows that rounding brings away from a mean that they all equal lie a few units of it apart.
    assert (bounds <= exact * (1 + 1e-9) + len(rows) * 1e-9 * (1 + np.abs(rows).max())).all()


def shaped(kind: str) -> np.ndarray:
    rng = np.random.default_rng(5)
    if kind == "line":
        return rng.normal(size=(900, 1))
    if kind == "plane":
        return rng.normal(size=(900, 2))
    if kind == "round":
        return rng.normal(size=(900, 40))
    if kind == "long":
        return rng.normal(size=(900, 20)) * np.r_[50, np.ones(19)]
    if kind == "groups":
        return 3 * rng.normal(size=(20, 40))[rng.integers(0, 20, 900)] + rng.normal(size=(900, 40))
    if kind == "heavy":
        return rng.normal(size=(900, 40)) * np.exp(rng.normal(size=(900, 1)))
    grid = rng.integers(0, 3, (900, 3))  # rows that are equal, and sums that are
    return grid.astype(np.float64)


KINDS = ("line", "plane", "round", "long", "groups", "heavy", "grid")


@pytest.mark.parametrize("kind", KINDS)
def test_medoids_found_by_bounds_are_those_of_all_pairs(kind):
    rows = shaped(kind).astype(np.float32)
    exact = cdist(rows.astype(np.float64), rows.astype(np.float64)).sum(1)
    (found,) = medoids(rows, labels=np.zeros(len(rows), np.int64), metric="euclidean")
    assert found == np.flatnonzero(exact <= exact.min() * (1 + 1e-12))[0]


@pytest.mark.parametrize("kind", ["round", "groups", "heavy"])
def test_most_rows_are_ruled_out_in_tens_of_dimensions(kind, monkeypatch):
    looked = []
    some = euclidean_sums._of_some
    monkeypatch.setattr(euclidean_sums, "_FIRST", 8)
    monkeypatch.setattr(euclidean_sums, "_of_all", None)  # never called
    monkeypatch.setattr(
        euclidean_sums, "_of_some", lambda *given: (looked.append(len(given[1])), some(*given))[1]
    )
    rows = shaped(kind).astype(np.float32)
    medoids(rows, labels=np.zeros(len(rows), np.int64), metric="euclidean")
    assert looked[0] == 8
    assert sum(looked) < len(rows) / 4


def test_medoids_to_scale_are_those_of_a_scaled_copy():
    rows = (shaped("round") * np.r_[100, np.ones(39)]).astype(np.float32)
    labels = np.random.default_rng(0).integers(-1, 2, len(rows))
    scaled = scale_points(rows, scale="standardise")
    given = RowValues(rows, 40, Scaling.of(rows, "standardise"))
    expected = medoids(scaled, labels=labels, metric="euclidean")
    assert medoids(given, labels=labels, metric="euclidean").tolist() == expected.tolist()
    assert medoids(rows, labels=labels, metric="euclidean").tolist() != expected.tolist()
