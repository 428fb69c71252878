from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polylens.analyses import Outcome
from polylens.analyses.code_statistics import CodeStatistics
from polylens.errors import DataError
from polylens.records import CodeLayer, Codes, CodeScheme


def test_counts_by_hand(make_rows, find):
    one = np.array([[1, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 1]], dtype=bool)
    two = np.array([[0], [1], [1], [0]], dtype=bool)
    rows = make_rows(bits={"one": one, "two": two}, targets=np.array([0, 1, 1, 0]))
    found = find(CodeStatistics(), rows)
    value = {name: number.value for name, number in found.numbers.items()}
    assert value["distinct_codes"] == 2
    assert value["distinct_fraction"] == 0.5
    # Of 4 units one is always on and one always off; 4 + 2 + 2 of 16 bits are set.
    assert (value["always_on_fraction"], value["always_off_fraction"]) == (0.25, 0.25)
    assert value["constant_fraction"] == 0.5
    assert value["active_fraction"] == 0.5
    # Rows of one class are equal; of two classes they differ in 1 of 3 units and in 1 of 1, on average 2/3.
    assert value["same_class_distance"] == 0.0
    assert value["different_class_distance.one"] == pytest.approx(1 / 3)
    assert value["different_class_distance.two"] == 1.0
    assert value["different_class_distance"] == pytest.approx(2 / 3)


def test_pairs_are_never_of_one_example(make_rows, find):
    # Rows of one example are equal, rows of different examples differ in every bit.
    example = np.repeat(np.arange(2), 10)
    bits = np.repeat(np.array([[0] * 8, [1] * 8], dtype=bool), 10, axis=0)
    rows = make_rows(bits={"a": bits}, targets=np.zeros(20), example=example, grid=(10,))
    found = find(CodeStatistics(), rows)
    assert found.numbers["same_class_distance"].value == 1.0
    assert found.notes == (
        "Only 1 same-class pairs exist; all were taken.",
        "There is no different-class pair.",
    )


def test_distances_have_intervals_over_examples(grouped, find):
    number = find(CodeStatistics(pairs=500, resamples=50), grouped()).numbers["different_class_distance.one"]
    assert number.low < number.value < number.high
    assert number.interval == "5 to 95 % of 50 resamples of the examples, with replacement"


def test_winners_of_pooling_are_no_units_that_are_on_or_off(find, make_rows):
    winners = CodeLayer("pool", units=2, bits_per_unit=4, kind="winner")
    bits = np.zeros((3, 8), dtype=bool)
    bits[:, [0, 4]] = True
    scheme = CodeScheme((winners,), names_polytopes=False, reason="a test")
    rows = replace(
        make_rows(targets=np.array([0, 0, 1])), codes=Codes(np.packbits(bits, axis=1), scheme, 0.125)
    )
    found = find(CodeStatistics(), rows)
    assert "active_fraction" not in found.numbers
    assert found.numbers["near_boundary_fraction"].value == 0.125
    assert np.isnan(found.tables["layers"]["active_fraction"][0])


def test_rows_without_classes_have_no_class_distances_and_no_picture_of_any(make_rows, find):
    rows = make_rows(bits={"a": np.eye(4) > 0})
    found = find(CodeStatistics(), rows)
    assert CodeStatistics().draw({"network": (Outcome(rows, found, {}),)}, subject="x") == ()
    assert "same_class_distance" not in found.numbers
    assert found.numbers["distinct_codes"].value == 4
    assert "no classes" in found.notes[0]


def test_rows_without_codes_are_an_error(make_rows, find):
    with pytest.raises(DataError, match="no codes"):
        find(CodeStatistics(), make_rows(np.zeros((4, 2))))


def test_findings_repeat_and_can_be_drawn(grouped, find, same_findings):
    rows, analysis = grouped(), CodeStatistics(pairs=200, resamples=10)
    assert same_findings(find(analysis, rows), find(analysis, rows))
    own = Outcome(rows, find(analysis, rows), {})
    (figure,) = analysis.draw({"network": (own,), "random_init": (own, own)}, subject="x")
    assert figure.name == "layer-distances"
