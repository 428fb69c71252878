"""Intervals of a number by leaving out one part of the examples after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polylens.statistics.resampling import LEVEL


def jackknife_limits(value: float, without: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Limits of a smooth number of all examples; None with fewer than two parts.

    Args:
        value: of all examples.
        without: the value without each part, and all examples over those of the part.

    Source: Busing, Meijer, van der Leeden (1999), for parts of unequal size; Student's t with one degree of
        freedom less than there are parts.

    >>> [round(limit, 2) for limit in jackknife_limits(2.0, [(1.5, 3.0), (2.0, 3.0), (2.5, 3.0)])]
    [0.31, 3.69]
    """
    from scipy.special import stdtrit

    if len(without) < 2:
        return None
    rest, size = (np.array(each) for each in zip(*without, strict=True))
    pseudo = size * value - (size - 1) * rest
    centre = len(rest) * value - ((1 - 1 / size) * rest).sum()
    error = np.sqrt((((pseudo - centre) ** 2) / (size - 1)).mean())
    half = float(stdtrit(len(rest) - 1, (1 + LEVEL) / 2) * error)
    return value - half, value + half
