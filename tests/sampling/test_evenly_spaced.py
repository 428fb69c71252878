from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from polylens.sampling import TooFewPositionsError
from polylens.sampling.evenly_spaced import EvenlySpaced


def positions(rule: EvenlySpaced, valid: np.ndarray) -> list[int]:
    chosen = rule.choose(valid, grid=(int(valid.max()) + 1,), generator=np.random.default_rng(0))
    return [int(position) for position in chosen]


def test_six_after_100_of_1024_are_the_papers_positions() -> None:
    # floor((1024 - 100) / 6) = 154
    assert positions(EvenlySpaced(count=6, after=100), np.arange(1024)) == [100, 254, 408, 562, 716, 870]


def test_inclusive_ends_take_the_last_position() -> None:
    # (1023 - 100) / 5 = 184.6: 100, 284.6, 469.2, 653.8, 838.4, 1023
    rule = EvenlySpaced(count=6, after=100, end="inclusive")
    assert positions(rule, np.arange(1024)) == [100, 285, 469, 654, 838, 1023]


def test_inclusive_ends_round_halves_to_the_even_rank() -> None:
    # (3 - 0) / 2 = 1.5 -> 2
    assert positions(EvenlySpaced(count=3, end="inclusive"), np.arange(4)) == [0, 2, 3]


def test_one_position_is_the_first_that_is_not_left_out() -> None:
    assert positions(EvenlySpaced(count=1, after=2, end="inclusive"), np.arange(9)) == [2]


def test_ranks_count_valid_positions_and_raw_positions_are_given() -> None:
    # Valid ranks 0 1 2 3 stand at raw 3 5 7 9; after 1: step floor(3 / 2) = 1, ranks 1 and 2.
    assert positions(EvenlySpaced(count=2, after=1), np.array([3, 5, 7, 9])) == [5, 7]


def test_an_example_that_is_too_short_is_refused_with_its_length() -> None:
    with pytest.raises(
        TooFewPositionsError, match="105 valid positions are too few to take 6 after the first 100"
    ):
        positions(EvenlySpaced(count=6, after=100), np.arange(105))


def test_an_example_of_just_enough_positions_gives_all_that_are_left() -> None:
    for end in ("open", "inclusive"):
        rule = EvenlySpaced(count=6, after=100, end=end)
        assert positions(rule, np.arange(106)) == [100, 101, 102, 103, 104, 105]


def test_a_count_of_zero_is_refused() -> None:
    with pytest.raises(ValidationError):
        EvenlySpaced(count=0)


@given(count=st.integers(1, 40), after=st.integers(0, 200), more=st.integers(0, 5000))
def test_open_steps_are_exactly_equal_and_as_long_as_fits(count: int, after: int, more: int) -> None:
    length = after + count + more
    chosen = positions(EvenlySpaced(count=count, after=after), np.arange(length))
    step = (length - after) // count
    assert chosen == [after + k * step for k in range(count)]
    assert step >= 1
    assert chosen[-1] + step <= length


@given(count=st.integers(2, 40), after=st.integers(0, 200), more=st.integers(0, 5000))
def test_inclusive_positions_are_different_and_reach_both_ends(count: int, after: int, more: int) -> None:
    length = after + count + more
    chosen = positions(EvenlySpaced(count=count, after=after, end="inclusive"), np.arange(length))
    assert chosen[0] == after
    assert chosen[-1] == length - 1
    steps = np.diff(chosen)
    assert steps.min() >= 1
    assert steps.max() - steps.min() <= 1
