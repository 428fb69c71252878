"""A number with its interval, by drawing examples again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Shaped

from polylens.records import Number
from polylens.statistics.resampling import bootstrap_interval


def bootstrap_number(
    values: Shaped[np.ndarray, "examples ..."],
    measure: Callable[[Shaped[np.ndarray, "examples ..."]], float],
    *,
    resamples: int,
    generator: np.random.Generator,
    unit: str = "",
    chance: float | None = None,
    chance_is: str = "",
) -> Number:
    """What `measure` says of one line an example, with the range over resamples of the examples.

    One example says nothing of others: its number has no range.

    Args:
        values: one line an example.
        measure: gives a number for any choice of lines; NaN where it is not defined.
        resamples: how many times as many examples are drawn with replacement.
        generator: draws them.
        unit: of the number.
        chance: the number under chance, where it is known.
        chance_is: what that is.

    >>> generator = np.random.default_rng(0)
    >>> bootstrap_number(np.array([3.0, 3.0]), np.mean, resamples=20, generator=generator).high
    3.0
    """
    number = Number(
        float(measure(values)),
        chance=chance if chance is not None and np.isfinite(chance) else None,
        chance_is=chance_is if chance is not None and np.isfinite(chance) else "",
        unit=unit,
    )
    if len(values) < 2:
        return number
    drawn = (measure(values[generator.integers(len(values), size=len(values))]) for _ in range(resamples))
    interval = bootstrap_interval(float(value) for value in drawn)
    return replace(number, low=interval.low, high=interval.high, interval=interval.meaning)
