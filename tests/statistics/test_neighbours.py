from __future__ import annotations

import numpy as np
import pytest

from polylens.statistics import nearest_neighbours, nearest_sets


@pytest.mark.parametrize("same", [None, True, False])
def test_neighbours_are_those_of_a_plain_search(same: bool | None) -> None:
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(40, 3)) + 1000).astype(np.float32)
    groups = rng.integers(0, 3, 40)
    chosen = np.array([3, 0, 17])
    found = nearest_neighbours(points, of=chosen, groups=groups, same=same)
    for place, row in enumerate(chosen):
        allowed = [
            other
            for other in range(40)
            if other != row and (same is None or (groups[other] == groups[row]) == same)
        ]
        apart = [np.linalg.norm(points[row].astype(float) - points[other]) for other in allowed]
        assert found.row[place] == allowed[int(np.argmin(apart))]
        assert found.distance[place] == pytest.approx(min(apart), rel=1e-6)


def test_a_row_alone_in_its_class_has_no_neighbour_there() -> None:
    points, groups = np.array([[0.0], [1.0]]), np.array([0, 1])
    found = nearest_neighbours(points, of=np.arange(2), groups=groups, same=True)
    assert (found.row.tolist(), found.distance.tolist()) == ([-1, -1], [np.inf, np.inf])


def test_the_nearest_are_of_other_examples_and_ties_fall_by_chance() -> None:
    far = np.ones((6, 6)) - np.eye(6)
    example = np.array([0, 0, 1, 1, 2, 2])
    one = nearest_sets(far, count=3, apart=example, generator=np.random.default_rng(0))
    other = nearest_sets(far, count=3, apart=example, generator=np.random.default_rng(1))
    assert (one.sum(1) == 3).all()
    assert not one[example[:, None] == example].any()
    assert (one != other).any()
    every = nearest_sets(far, count=9, apart=example, generator=np.random.default_rng(1))
    assert (every.sum(1) == 4).all()
