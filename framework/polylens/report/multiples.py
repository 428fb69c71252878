"""Small pictures of one number each over what was swept, all on one scale of places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from polylens.records import Mark
from polylens.report.answer import words
from polylens.report.overview import Dot, Multiple
from polylens.wording import at_axis, largest, short

_LEFT, _RIGHT, _TOP, _BOTTOM = 38.0, 300.0, 10.0, 150.0
"""Edges of the plot inside of its picture, in the picture's own units; text is 11 of them high."""
_WIDE = 5.6
"""Width of one letter."""
_DODGE = 0.5
"""Share of the way from one place to the next that variants side by side take at most."""
_SHAPES = {
    "s": "M-4 -4H4V4H-4Z",
    "^": "M0 -5L5 4H-5Z",
    "v": "M0 5L5 -4H-5Z",
    "D": "M0 -5.5L5.5 0L0 5.5L-5.5 0Z",
    "X": "M-4 -4L4 4M-4 4L4 -4",
}
"""Shapes by Matplotlib's letters; every other one is a circle."""
_CIRCLE = "M-4 0A4 4 0 1 1 4 0A4 4 0 1 1 -4 0Z"


@dataclass(frozen=True)
class Point:
    """A dot where it is drawn."""

    x: float
    y: float
    low: float | None
    """Height of the range's lower end; None where there is no range."""
    high: float | None
    title: str
    """What it is in words."""
    report: str


@dataclass(frozen=True)
class Series:
    """The points of one variant."""

    variant: str
    colour: str
    shape: str
    """An SVG path around the point."""
    points: tuple[Point, ...]
    line: str
    """Points of the line through the means of each place."""


@dataclass(frozen=True)
class Panel:
    """A small picture, ready to be drawn."""

    title: str
    axis: str
    series: tuple[Series, ...]
    ticks: tuple[tuple[float, str], ...]
    """Heights and their values."""
    places: tuple[tuple[float, str], ...]
    """Positions and names."""
    slanted: bool
    """Whether the names are too long to stand side by side."""
    height: float

    left: ClassVar[float] = _LEFT
    right: ClassVar[float] = _RIGHT
    bottom: ClassVar[float] = _BOTTOM

    @property
    def in_words(self) -> str:
        """What the picture shows, for those who cannot see it: each variant's values, place by place."""
        said = (
            f"{words(each.variant)}: {'; '.join(point.title for point in each.points)}"
            for each in self.series
        )
        return f"{self.title} over {self.axis}. {'. '.join(said)}."


def panel_of(multiple: Multiple) -> Panel:
    """A small picture of one number: a dot a run, its range as a line, means joined from place to place."""
    low, high, ticks = _scale(_values(multiple))
    step = (_RIGHT - _LEFT) / len(multiple.places)
    middles = {place: _LEFT + step * (number + 0.5) for number, place in enumerate(multiple.places)}
    series = tuple(
        _series(multiple, variant, middles=middles, shift=shift * step, low=low, high=high)
        for variant, shift in zip(multiple.dots, _shifts(len(multiple.dots)), strict=True)
    )
    longest = max(map(len, multiple.places))
    slanted = longest * _WIDE > step
    return Panel(
        multiple.title,
        multiple.axis,
        series,
        tuple((_height(tick, low, high), at_axis(tick)) for tick in ticks),
        tuple((middle, place) for place, middle in middles.items()),
        slanted,
        _BOTTOM + (18 + min(longest * _WIDE * 0.6, 60) if slanted else 20),
    )


def _series(
    multiple: Multiple, variant: str, *, middles: Mapping[str, float], shift: float, low: float, high: float
) -> Series:
    dots = multiple.dots[variant]
    mark = multiple.marks.get(variant, Mark("#6f7a84", "o"))
    by_place = {place: [dot.value for dot in dots if dot.place == place] for place in multiple.places}
    means = [
        f"{middles[place] + shift:.1f},{_height(sum(values) / len(values), low, high):.1f}"
        for place, values in by_place.items()
        if values
    ]
    points = (
        Point(
            middles[dot.place] + shift,
            _height(dot.value, low, high),
            None if dot.low is None else _height(dot.low, low, high),
            None if dot.high is None else _height(dot.high, low, high),
            _in_words(dot),
            dot.report,
        )
        for dot in dots
    )
    return Series(variant, mark.colour, _SHAPES.get(mark.marker, _CIRCLE), tuple(points), " ".join(means))


def _in_words(dot: Dot) -> str:
    size = largest((dot.value, dot.low, dot.high))
    value, *ends = (short(each, beside=size) for each in (dot.value, dot.low, dot.high) if each is not None)
    return f"{dot.place} {value}" + (f" [{', '.join(ends)}]" if len(ends) == 2 else "")


def _values(multiple: Multiple) -> Iterator[float]:
    for dots in multiple.dots.values():
        for dot in dots:
            yield from (value for value in (dot.value, dot.low, dot.high) if value is not None)


def _shifts(count: int) -> Sequence[float]:
    """How far variants stand beside the middle of a place, so that they do not cover each other.

    >>> _shifts(1), _shifts(3)
    ([0.0], [-0.25, 0.0, 0.25])
    """
    return [_DODGE * (number / (count - 1) - 0.5) if count > 1 else 0.0 for number in range(count)]


def _scale(values: Iterator[float]) -> tuple[float, float, list[float]]:
    """The ends of an axis and its ticks: shares from 0 to 1, all else in round steps.

    >>> _scale(iter([0.2, 0.9])), _scale(iter([0.0, 37.0]))
    ((0.0, 1.0, [0.0, 0.5, 1.0]), (0.0, 40.0, [0.0, 20.0, 40.0]))
    >>> _scale(iter([1.0, 1.0 + 1e-15]))
    (1.0, 1.5, [1.0, 1.5])
    """
    known = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    if low >= 0 and high <= 1 and high > 0.1:
        return 0.0, 1.0, [0.0, 0.5, 1.0]
    # Values that differ by rounding alone are one value.
    span = high - low if high - low > 1e-9 * max(abs(low), abs(high)) else abs(high) or 1.0
    power = 10 ** math.floor(math.log10(span / 2))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 3)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = [float(number * step) for number in range(first, max(last, first + 1) + 1)]
    return ticks[0], ticks[-1], ticks


def _height(value: float, low: float, high: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * (value - low) / (high - low)
