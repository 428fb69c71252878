"""Whether findings of two devices are the same."""

from __future__ import annotations

import pandas as pd
import pytest

from polylens.records import Findings

ROUNDING = 1e-8
"""Sums of a few hundred numbers in double precision, layer by layer, leave more than half of the digits."""


def assert_alike(found: Findings, expected: Findings) -> None:
    """The same but for the last digits: torch composes some operations of a device in another way."""
    assert list(found.numbers) == list(expected.numbers)
    for name, number in expected.numbers.items():
        other = found.numbers[name]
        assert [other.low is None, other.high is None] == [number.low is None, number.high is None]
        for one, two in ((other.value, number.value), (other.low, number.low), (other.high, number.high)):
            assert two is None or one == pytest.approx(two, rel=ROUNDING, abs=ROUNDING, nan_ok=True), name
    assert found.notes == expected.notes
    assert list(found.tables) == list(expected.tables)
    for name, table in expected.tables.items():
        pd.testing.assert_frame_equal(found.tables[name], table, rtol=ROUNDING, atol=ROUNDING)
