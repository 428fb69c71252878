from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylens.sampling import TooFewPositionsError
from polylens.sampling.all_positions import AllPositions
from polylens.sampling.random_positions import RandomPositions


@given(valid=st.sets(st.integers(0, 500), min_size=1), seed=st.integers(0, 100), data=st.data())
def test_random_positions_are_different_valid_ones_in_order(
    valid: set[int], seed: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(valid)))
    chosen = (
        RandomPositions(count=count)
        .choose(np.array(sorted(valid)), grid=(501,), generator=np.random.default_rng(seed))
        .tolist()
    )
    assert len(chosen) == count
    assert chosen == sorted(set(chosen))
    assert set(chosen) <= valid


def test_random_positions_follow_their_generator_alone() -> None:
    rule = RandomPositions(count=5)
    draws = [
        rule.choose(np.arange(99), grid=(99,), generator=np.random.default_rng(seed)).tolist()
        for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_every_position_is_drawn_equally_often() -> None:
    generator = np.random.default_rng(0)
    rule = RandomPositions(count=2)
    counts = np.bincount(
        np.concatenate([rule.choose(np.arange(5), grid=(5,), generator=generator) for _ in range(2000)])
    )
    # 800 expected of each, standard deviation sqrt(2000 * 0.4 * 0.6) = 22
    assert np.abs(counts - 800).max() < 5 * 22


def test_drawing_more_than_there_is_skips_the_example() -> None:
    with pytest.raises(TooFewPositionsError, match="3 valid positions; 4 are to be drawn"):
        RandomPositions(count=4).choose(np.arange(3), grid=(3,), generator=np.random.default_rng(0))


def test_all_positions_are_the_valid_ones() -> None:
    valid = np.array([0, 2, 5])
    assert AllPositions().choose(valid, grid=(9,), generator=np.random.default_rng(0)).tolist() == [0, 2, 5]


def test_an_example_without_valid_positions_is_skipped() -> None:
    with pytest.raises(TooFewPositionsError):
        AllPositions().choose(np.array([], dtype=np.int64), grid=(9,), generator=np.random.default_rng(0))
