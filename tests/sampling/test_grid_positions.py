from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylens.errors import UsageError
from polylens.sampling import TooFewPositionsError
from polylens.sampling.fixed_position import FixedPosition
from polylens.sampling.grid_positions import GridPositions

RNG = np.random.default_rng(0)


def test_three_by_three_of_fourteen_stand_in_the_middles_of_the_fields() -> None:
    # Middles of thirds of 14: floor(14 / 6) = 2, floor(3 * 14 / 6) = 7, floor(5 * 14 / 6) = 11.
    chosen = GridPositions(rows=3, columns=3).choose(np.arange(196), grid=(14, 14), generator=RNG)
    assert [divmod(int(place), 14) for place in chosen] == [(r, c) for r in (2, 7, 11) for c in (2, 7, 11)]


@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_one_by_one_is_the_center(height: int, width: int) -> None:
    valid = np.arange(height * width)
    lattice = GridPositions(rows=1, columns=1).choose(valid, grid=(height, width), generator=RNG)
    assert (
        lattice.tolist()
        == FixedPosition(at="center").choose(valid, grid=(height, width), generator=RNG).tolist()
    )


@given(height=st.integers(1, 12), width=st.integers(1, 12))
def test_a_lattice_as_large_as_the_grid_is_the_grid(height: int, width: int) -> None:
    valid = np.arange(height * width)
    rule = GridPositions(rows=height, columns=width)
    assert rule.choose(valid, grid=(height, width), generator=RNG).tolist() == valid.tolist()


@given(extent=st.integers(1, 60), data=st.data())
def test_the_steps_of_a_lattice_differ_by_one_at_most(extent: int, data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, extent))
    chosen = GridPositions(rows=rows, columns=1).choose(np.arange(extent), grid=(extent, 1), generator=RNG)
    steps = np.diff(chosen)
    assert len(set(chosen.tolist())) == rows
    assert steps.max(initial=1) - steps.min(initial=steps.max(initial=1)) <= 1


def test_a_lattice_larger_than_the_grid_is_an_error() -> None:
    with pytest.raises(UsageError, match="3 x 3 does not fit into the grid of 2 x 7"):
        GridPositions(rows=3, columns=3).choose(np.arange(14), grid=(2, 7), generator=RNG)


def test_a_sequence_has_no_lattice() -> None:
    with pytest.raises(UsageError, match="evenly_spaced"):
        GridPositions(rows=1, columns=1).choose(np.arange(9), grid=(9,), generator=RNG)


def test_an_example_that_lacks_a_position_of_the_lattice_is_skipped() -> None:
    with pytest.raises(TooFewPositionsError, match="position \\[1, 1\\]"):
        GridPositions(rows=1, columns=1).choose(np.array([0, 1, 2]), grid=(2, 2), generator=RNG)
