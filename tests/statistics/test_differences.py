"""Differences of two numbers that were measured apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polylens.records import Number
from polylens.report import decided
from polylens.statistics import difference, negative

VALUES = st.floats(-100, 100)
WIDTHS = st.floats(0, 10)


@given(VALUES, WIDTHS, WIDTHS, VALUES, WIDTHS, WIDTHS)
def test_turned_around_a_difference_has_the_other_sign_and_the_same_interval(
    a: float, below_a: float, above_a: float, b: float, below_b: float, above_b: float
) -> None:
    first, second = Number(a, a - below_a, a + above_a), Number(b, b - below_b, b + above_b)
    there, back = difference(first, second), negative(difference(second, first))
    assert (there.value, there.low, there.high) == (back.value, back.low, back.high)
    assert there.low is not None
    assert there.high is not None
    assert there.low <= there.value <= there.high


def test_ranges_that_are_no_intervals_decide_nothing() -> None:
    sure = Number(0.9, 0.8, 1.0)
    for other in (
        Number(0.1, 0.0, 0.2, range_is="stability"),
        Number(0.1, 0.0, 0.2, range_is="draws"),
        Number(0.1),
    ):
        assert decided(difference(sure, other)) == "no interval"
    assert decided(difference(sure, Number(float("nan")))) == "not defined"
    assert decided(difference(sure, Number(0.1, 0.0, 0.2))) == "lower"


def test_of_two_equal_means_nine_in_ten_differences_hold_zero() -> None:
    rng = np.random.default_rng(0)
    # Means of 50 values of deviation 1: a 90 % interval is the mean plus and minus 1.645 / sqrt(50).
    half = 1.645 / np.sqrt(50)
    means = rng.normal(0, 1 / np.sqrt(50), (4000, 2))
    numbers = [[Number(mean, mean - half, mean + half) for mean in pair] for pair in means.tolist()]
    shown = [decided(difference(*pair)) != "open" for pair in numbers]
    # 4,000 draws: the share is within 0.015 of 0.1 in all but one of a thousand.
    assert abs(np.mean(shown) - 0.1) < 0.0157
