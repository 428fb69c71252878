from __future__ import annotations

import numpy as np
import pytest

from polylens.geometry.nearness import mirror, share_near

CROSS = np.array([[[-1.0, 0.0], [1.0, 0.0]], [[0.0, -1.0], [0.0, 1.0]]])


def test_lines_are_near_themselves_and_nothing_is_near_no_lines() -> None:
    assert share_near(CROSS, CROSS, radius=0.01) == pytest.approx(1.0)
    assert share_near(CROSS, CROSS[:0], radius=0.1) == 0.0
    assert share_near(CROSS[:0], CROSS, radius=0.1) == 0.0


def test_of_a_cross_one_bar_and_a_strip_of_the_other_are_near_that_bar() -> None:
    assert share_near(CROSS, CROSS[:1], radius=0.25) == pytest.approx((2 + 0.5) / 4, abs=0.02)


def test_the_seven_other_ways_of_a_square_keep_what_is_inside_inside() -> None:
    line = np.array([[[1.0, 2.0], [1.5, 2.25]]])
    ways = mirror(line, corner=np.array([1.0, 2.0]), side=2.0)
    assert len({way.round(9).tobytes() for way in ways} | {line.tobytes()}) == 8
    for way in ways:
        assert ((way >= [1.0, 2.0]) & (way <= [3.0, 4.0])).all()
        assert np.linalg.norm(way[0, 1] - way[0, 0]) == pytest.approx(np.linalg.norm([0.5, 0.25]))
