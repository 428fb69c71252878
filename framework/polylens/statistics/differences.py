"""The difference of two numbers that were measured apart, with an interval made of theirs."""

from __future__ import annotations

import math
from dataclasses import replace

from polylens.records import Number

MEANING = "90 % interval made of both numbers' 90 % intervals, as if they were independent"


def negative(number: Number) -> Number:
    """The number with its sign turned, and its range and its level by chance with it.

    >>> turned = negative(Number(1.0, 0.5, 2.0))
    >>> turned.value, turned.low, turned.high
    (-1.0, -2.0, -0.5)
    """
    return replace(
        number,
        value=-number.value,
        low=None if number.high is None else -number.high,
        high=None if number.low is None else -number.low,
        chance=None if number.chance is None else -number.chance,
    )


def difference(first: Number, second: Number) -> Number:
    """The second less the first; with a 90 % interval where both have one, and with none where one lacks it.

    Each end takes the distances from both values to the ends that matter for it, squared and summed. Where
    the two are of the same examples they mostly err to the same side, and the interval is too wide: it
    misses differences rather than shows some that are not there. A stability range and the spread of draws
    are no intervals of uncertainty and make none here.

    Source: Zou and Donner (2008), MOVER, equation 3.

    >>> apart = difference(Number(1.0, 0.7, 1.3), Number(2.0, 1.6, 2.4))
    >>> apart.value, round(apart.low, 3), round(apart.high, 3)
    (1.0, 0.5, 1.5)
    """
    value = second.value - first.value
    ends = [_distances(number) for number in (first, second)]
    if not math.isfinite(value) or ends[0] is None or ends[1] is None:
        return Number(value, unit=second.unit)
    (below_first, above_first), (below_second, above_second) = ends[0], ends[1]
    return Number(
        value,
        value - math.hypot(below_second, above_first),
        value + math.hypot(above_second, below_first),
        MEANING,
        unit=second.unit,
    )


def _distances(number: Number) -> tuple[float, float] | None:
    """How far an interval's ends are from the value, below and above; None where there is no interval."""
    if number.range_is != "interval" or number.low is None or number.high is None:
        return None
    if not (math.isfinite(number.low) and math.isfinite(number.high)):
        return None
    # A value may lie outside of its own interval: then that side has no width.
    return max(number.value - number.low, 0.0), max(number.high - number.value, 0.0)
