"""Dots with intervals: the way every measured number is drawn."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from matplotlib.axes import Axes

from polylens.figures.style import INK, MUTED, SMALL
from polylens.figures.words import plain
from polylens.records import Number
from polylens.wording import series

NO_NUMBER = "–"
"""Stands where a number would."""
_WORTH = re.compile(r", rows worth [\d,]+ independent ones")
_LINES = {
    "interval": "Lines are intervals",
    "stability": "Broken lines are stability ranges, no intervals of uncertainty",
    "draws": "Broken lines are ranges of draws",
}


def draw_numbers(
    axes: Axes,
    *,
    numbers: Sequence[Number | None],
    place: float,
    room: float,
    shade: str,
    marker: str,
    hollow: bool = False,
) -> None:
    """Draws numbers on one row, several draws one under the other within `room`; gaps where one lacks it."""
    step = room / max(len(numbers), 1)
    for index, number in enumerate(numbers):
        if number is None:
            continue
        at = place + (index - (len(numbers) - 1) / 2) * step
        draw_number(
            axes,
            number,
            at=at,
            shade=shade,
            marker=marker,
            hollow=hollow,
            size=7.0 if len(numbers) == 1 else 5.0,
        )


def write_beside(axes: Axes, words: str, *, place: float, x: float, shade: str, own: bool) -> None:
    """Writes a row's number right of the axes; the spec's own network's stands out.

    Args:
        axes: beside which.
        words: the number; a dash where there is none.
        place: of the row, in the axes' units.
        x: 1 is the right edge.
        shade: of the row's marks.
        own: whether the row is the spec's own network's.
    """
    axes.text(
        x,
        place,
        words,
        transform=axes.get_yaxis_transform(),
        va="center_baseline",
        fontsize=SMALL,
        color=MUTED if words == NO_NUMBER else shade,
        fontweight="bold" if own else "normal",
    )


def draw_number(
    axes: Axes, number: Number, *, at: float, shade: str, marker: str, hollow: bool = False, size: float = 7.0
) -> None:
    """Draws one number at height `at`, its level under chance as a tick mark, its range as a line.

    The line is broken where the range is no interval of uncertainty.
    """
    if not math.isfinite(number.value):
        return
    if is_known(number.low) and is_known(number.high):
        style = "-" if number.range_is == "interval" else (0, (1.5, 1.0))
        axes.plot(
            [number.low, number.high],
            [at, at],
            color=shade,
            linewidth=1.6,
            linestyle=style,
            alpha=0.75,
            zorder=2,
        )
    axes.plot(
        number.value,
        at,
        marker,
        color=shade,
        markersize=size,
        markerfacecolor="white" if hollow else shade,
        markeredgecolor=shade if hollow else "white",
        markeredgewidth=1.5 if hollow else 0.8,
        zorder=4,
    )
    if is_known(number.chance):
        axes.plot(number.chance, at, "|", color=INK, markersize=1.6 * size, markeredgewidth=1.6, zorder=3)


def lines_are(numbers: Sequence[Number]) -> Iterator[str]:
    """Sentences that say what the lines of these numbers are: intervals, or ranges that are none."""
    for kind, what in _LINES.items():
        ranged = [number for number in numbers if is_known(number.low) and number.range_is == kind]
        # How many rows each is worth differs from line to line, and is in the tables.
        kinds = series([plain(_WORTH.sub("", number.interval), limit=90) for number in ranged])
        if ranged:
            yield f"{what} ({kinds})." if kinds else f"{what}."


def is_known(value: float | None) -> TypeGuard[float]:
    """Whether there is a finite value."""
    return value is not None and math.isfinite(value)


def extent(numbers: Sequence[Number], *, include: Sequence[float] = ()) -> tuple[float, float]:
    """Limits of an axis that shows all values, intervals and chance levels; shares get the axis from 0 to 1.

    >>> extent([Number(0.4), Number(0.9)])
    (0.0, 1.0)
    >>> extent([Number(4.0), Number(9.0)], include=[10.0])
    (0.0, 10.6)
    """
    values = [float(v) for n in numbers for v in (n.value, n.low, n.high, n.chance) if is_known(v)]
    values += include
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if low >= 0 and high <= 1 and high > 0.05:
        return 0.0, 1.0
    if 0 < low < 0.6 * high:
        low = 0.0
    pad = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return (low if low == 0 else low - pad), high + pad


def draw_pair(axes: Axes, *, same: Number | None, different: Number | None, at: float, shade: str) -> None:
    """Draws the values of same-class pairs (hollow) and different-class pairs (filled) on one row, joined."""
    if same is not None and different is not None and is_known(same.value) and is_known(different.value):
        width = 13 if is_known(same.low) or is_known(different.low) else 4
        axes.plot([same.value, different.value], [at, at], color=shade, linewidth=width, alpha=0.2, zorder=1)
    for number, hollow, shift in ((same, True, -0.09), (different, False, 0.09)):
        if number is not None:
            interval = is_known(number.low) and is_known(number.high)
            draw_number(
                axes, number, at=at + (shift if interval else 0), shade=shade, marker="o", hollow=hollow
            )
