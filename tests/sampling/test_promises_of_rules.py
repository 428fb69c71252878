"""What the keys of the rules promise, for any valid positions and any of their siblings' values."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polylens.errors import UsageError
from polylens.sampling import Sampling, TooFewPositionsError
from polylens.sampling.all_positions import AllPositions
from polylens.sampling.evenly_spaced import EvenlySpaced
from polylens.sampling.every_kth import EveryKth
from polylens.sampling.fixed_position import FixedPosition
from polylens.sampling.grid_positions import GridPositions
from polylens.sampling.last_token import LastToken
from polylens.sampling.random_positions import RandomPositions

VALID = st.lists(st.booleans(), min_size=1, max_size=40).map(
    lambda flags: np.flatnonzero(flags).astype(np.int64)
)
MANY = settings(max_examples=60, deadline=None)


def chosen(rule: Sampling, valid: np.ndarray, grid: tuple[int, ...] = (40,)) -> list[int] | None:
    """Positions; None where the example is refused."""
    try:
        found = rule.choose(valid, grid=grid, generator=np.random.default_rng(0))
    except (TooFewPositionsError, UsageError):
        return None
    assert set(found.tolist()) <= set(valid.tolist())
    assert len(set(found.tolist())) == len(found) > 0
    return [int(position) for position in found]


@MANY
@given(VALID, st.integers(1, 9), st.integers(0, 9), st.sampled_from(["open", "inclusive"]))
def test_evenly_spaced_takes_count_positions_after_the_first_ones(valid, count, after, end):
    found = chosen(EvenlySpaced(count=count, after=after, end=end), valid)
    assert (found is None) == (len(valid) < after + count)
    if found is None:
        return
    ranks = np.searchsorted(valid, found)
    assert len(found) == count
    assert ranks[0] == after
    steps = np.diff(ranks)
    assert steps.size == 0 or steps.max() - steps.min() <= (0 if end == "open" else 1)
    if end == "inclusive" and count > 1:
        assert ranks[-1] == len(valid) - 1


@MANY
@given(VALID, st.integers(1, 9), st.integers(0, 9))
def test_every_kth_takes_all_at_its_step(valid, k, after):
    found = chosen(EveryKth(k=k, after=after), valid)
    assert (found or []) == [
        int(place) for rank, place in enumerate(valid) if rank >= after and not (rank - after) % k
    ]


@MANY
@given(VALID, st.integers(1, 9))
def test_the_other_rules_of_sequences_take_what_they_say(valid, count):
    found = chosen(RandomPositions(count=count), valid)
    assert (found is None) == (len(valid) < count)
    assert found is None or len(found) == count
    assert (chosen(AllPositions(), valid) or []) == valid.tolist()
    assert (chosen(LastToken(), valid) or []) == valid[-1:].tolist()


@MANY
@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 4), st.integers(1, 4), st.data())
def test_rules_of_images_take_as_many_rows_and_columns_as_they_say(height, width, rows, columns, data):
    everywhere = np.arange(height * width)
    found = chosen(GridPositions(rows=rows, columns=columns), everywhere, (height, width))
    assert (found is None) == (rows > height or columns > width)
    if found is not None:
        assert len(found) == rows * columns
        assert len({place // width for place in found}) == rows
        assert len({place % width for place in found}) == columns
    at = data.draw(st.tuples(st.integers(0, 7), st.integers(0, 7)))
    assume(at[0] < height and at[1] < width)
    assert chosen(FixedPosition(at=at), everywhere, (height, width)) == [at[0] * width + at[1]]
    assert chosen(FixedPosition(at="center"), everywhere, (height, width)) == [
        height // 2 * width + width // 2
    ]
