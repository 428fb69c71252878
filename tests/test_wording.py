"""Numbers as people are shown them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylens.records import Number
from polylens.report.answer import range_in_words, with_sign
from polylens.wording import at_axis, counted, percent, short, small_chance

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
EXPONENT = re.compile(r"\de[+-]?\d")


@given(NUMBERS, st.none() | NUMBERS)
def test_no_number_has_an_exponent_and_none_that_is_rounded_to_zero_has_a_sign(
    value: float, beside: float | None
) -> None:
    for text in (short(value, beside=beside), counted(value, beside=beside), with_sign(value, beside)):
        assert not EXPONENT.search(text)
        assert not re.fullmatch(r"[-+][0.]+", text)
        assert (text == "0") == (value == 0)
    assert not EXPONENT.search(at_axis(value))


@given(st.floats(min_value=1e-6, max_value=1e12), st.sampled_from([1, -1]))
def test_a_number_that_stands_alone_is_written_to_two_digits_that_count_at_least(
    size: float, sign: int
) -> None:
    text = short(sign * size).replace(",", "")
    # Half of the last digit: of two digits that count at most 5 in 100.
    assert float(text) == pytest.approx(sign * size, rel=0.0501)


def test_a_lead_next_to_its_range_has_no_digits_finer_than_the_range() -> None:
    lead = Number(-9.4e-05, -0.021, 0.019)
    assert (
        f"{with_sign(lead.value, lead.reach)} {range_in_words(lead, whole=False)}" == "0.000 [-0.021, 0.019]"
    )
    wide = Number(9.4e-05, -0.31, 0.3)
    assert f"{with_sign(wide.value, wide.reach)} {range_in_words(wide, whole=False)}" == "0.00 [-0.31, 0.30]"


def test_tiny_numbers_among_tiny_ones_stay_apart() -> None:
    assert [short(value, beside=3.1e-05) for value in (3.1e-05, 2.2e-05)] == ["0.000031", "0.000022"]


def test_counts_shares_and_chances() -> None:
    assert (counted(115008.0), counted(2.5e9), counted(13.25)) == ("115,008", "2,500,000,000", "13.2")
    assert (percent(0.0), percent(1e-9), percent(1.0)) == ("0 %", "<1 %", "100 %")
    assert (small_chance(0.0), small_chance(1e-12), small_chance(0.051)) == ("<0.001", "<0.001", "0.051")
