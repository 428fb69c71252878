from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from polylens.errors import UsageError
from polylens.sampling import TooFewPositionsError
from polylens.sampling.fixed_position import FixedPosition


def position(rule: FixedPosition, grid: tuple[int, ...]) -> int:
    (chosen,) = rule.choose(np.arange(np.prod(grid)), grid=grid, generator=np.random.default_rng(0))
    return int(chosen)


def test_row_and_column_point_into_the_grid_row_by_row() -> None:
    assert position(FixedPosition(at=(2, 3)), (4, 5)) == 2 * 5 + 3


def test_the_center_is_the_floor_of_half_each_way() -> None:
    assert position(FixedPosition(at="center"), (14, 14)) == 7 * 14 + 7
    assert position(FixedPosition(at="center"), (7, 8)) == 3 * 8 + 4
    assert position(FixedPosition(at="center"), (9,)) == 4


def test_a_token_is_one_index() -> None:
    assert position(FixedPosition(at=5), (9,)) == 5


def test_yaml_lists_are_read() -> None:
    assert FixedPosition.model_validate({"at": [7, 7]}).at == (7, 7)


@pytest.mark.parametrize(("at", "grid"), [((7, 2), (7, 7)), ((0, 9), (7, 7)), (9, (9,))])
def test_a_position_outside_of_the_grid_is_an_error_that_names_the_grid(
    at: tuple[int, int] | int, grid: tuple[int, ...]
) -> None:
    with pytest.raises(UsageError, match="outside of the layer's grid of " + " x ".join(map(str, grid))):
        position(FixedPosition(at=at), grid)


def test_a_position_with_the_wrong_number_of_axes_says_what_is_needed() -> None:
    with pytest.raises(UsageError, match="\\[row, column\\]"):
        position(FixedPosition(at=3), (7, 7))
    with pytest.raises(UsageError, match="one index"):
        position(FixedPosition(at=(3, 3)), (7,))


def test_a_position_that_is_padding_skips_the_example() -> None:
    with pytest.raises(TooFewPositionsError, match="position 5 is not valid"):
        FixedPosition(at=5).choose(np.arange(5), grid=(9,), generator=np.random.default_rng(0))


@pytest.mark.parametrize("at", [-1, (-1, 0), (0, -1), (1, 2, 3), (1,), "middle", 1.5, True, None])
def test_what_is_no_position_is_refused(at: object) -> None:
    with pytest.raises(ValidationError) as error:
        FixedPosition.model_validate({"at": at})
    assert len(error.value.errors()) == 1


@given(height=st.integers(1, 30), width=st.integers(1, 30), data=st.data())
def test_every_position_of_a_grid_can_be_chosen(height: int, width: int, data: st.DataObject) -> None:
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    assert divmod(position(FixedPosition(at=(row, column)), (height, width)), width) == (row, column)
