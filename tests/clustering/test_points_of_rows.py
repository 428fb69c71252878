from __future__ import annotations

import numpy as np
import pytest

from polylens.clustering import row_points, scale_points, unit_length
from polylens.errors import DataError
from polylens.records import CodeLayer, Codes, CodeScheme, Origins, Rows

ORIGINS = Origins(np.arange(2), np.zeros(2, np.int64), (), ("a", "b"))


def test_points_of_codes_are_their_bits_without_padding():
    scheme = CodeScheme((CodeLayer("a", 3), CodeLayer("b", 2)), names_polytopes=False, reason="a test")
    packed = np.array([[0b10100000, 0b01000000], [0b01000000, 0b11000000]], np.uint8)
    rows = Rows("layer", ORIGINS, codes=Codes(packed, scheme))
    assert row_points(rows, on="code").astype(int).tolist() == [[1, 0, 1, 0, 1], [0, 1, 0, 1, 1]]


@pytest.mark.parametrize(("on", "missing"), [("code", "no codes"), ("activation", "no activations")])
def test_missing_parts_are_named(on, missing):
    with pytest.raises(DataError, match=missing):
        row_points(Rows("layer", ORIGINS), on=on)


def test_points_without_scaling_are_the_activations_themselves():
    points = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    assert scale_points(points, scale="none") is points


def test_centred_columns_have_mean_zero_and_keep_their_spread():
    points = np.array([[1.0, 10.0], [3.0, 30.0]], dtype=np.float32)
    assert scale_points(points, scale="centre").tolist() == [[-1.0, -10.0], [1.0, 10.0]]


def test_standardised_columns_have_spread_one_and_constant_ones_become_zero():
    points = np.array([[1.0, 0.1], [3.0, 0.1], [5.0, 0.1]], dtype=np.float32)
    found = scale_points(points, scale="standardise")
    assert found.std(0).tolist() == pytest.approx([1.0, 0.0])
    assert found[:, 1].tolist() == [0.0, 0.0, 0.0]


def test_unit_length_orders_pairs_as_cosine_distance_does():
    points = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    unit = unit_length(points).astype(np.float64)
    cosine = 1 - unit @ unit.T
    squared = ((unit[:, None] - unit[None]) ** 2).sum(-1)
    assert squared == pytest.approx(2 * cosine, abs=1e-6)
