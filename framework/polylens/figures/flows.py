"""Where the members of one set of groups are in another set: bars at both sides, bands between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from polylens.figures.placing import top
from polylens.figures.style import CYCLE, INK, MUTED, NOISE_COLOUR, SMALL, canvas, picture, sentence
from polylens.figures.words import fit_line, inches, plain
from polylens.wording import count_of

_MOST_GROUPS = 16
"""Groups of a side that get a bar of their own; the rest are one."""
_ROWS = 3.4
"""Inches of all rows together."""
_LINE = 0.2
"""Inches that a group has at least, so that its name has room."""
_GAP = 0.045
"""Inches between two groups."""
_BAR = 0.025
"""Width of a bar, as a share of the way between the sides."""
_NAMES = 2.2
"""Inches for the names at each side."""


@picture
def flows(
    counts: Int[np.ndarray, "first second"],
    *,
    first: Sequence[str],
    second: Sequence[str],
    titles: tuple[str, str],
) -> Figure:
    """How the groups of one partition are spread over those of another: a band is as high as its rows.

    Where there are too many groups the largest are shown, and the others are one. Groups at the right stand
    in the order in which their rows come from the left, so that few bands cross; noise stays last.

    Args:
        counts: how many rows lie in both groups.
        first: names of the groups at the left; noise is called `noise`.
        second: names of those at the right.
        titles: of the two sides.
    """
    heading = f"Where the clusters of {plain(titles[0], limit=40)} go in {plain(titles[1], limit=40)}"
    if not counts.sum():
        return sentence(heading, "There is nothing to follow: the two share no rows.")
    counts, left = _gathered(counts, list(first))
    turned, right = _gathered(counts.T, list(second))
    order = _by_origin(turned, right)
    counts, right = turned[order].T, [right[index] for index in order]
    sides = [_Side.of(counts.sum(1), left), _Side.of(counts.sum(0), right)]
    height = max(side.height for side in sides)
    note = (
        "Bands are rows, in the colour of the group at the left; grey is noise. Behind each name: its rows."
    )
    figure = canvas(heading, note=note, height=height + 0.2)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_ylim(height, -0.02)
    room = _NAMES / (figure.get_size_inches()[0] - 2 * _NAMES)
    axes.set_xlim(-room, 1 + room)
    colours = [NOISE_COLOUR if name == "noise" else CYCLE[at % len(CYCLE)] for at, name in enumerate(left)]
    _draw_bands(axes, counts, sides=sides, colours=colours)
    _draw_bars(axes, sides[0], colours=colours, at_left=True)
    greys = [NOISE_COLOUR if name == "noise" else MUTED for name in right]
    _draw_bars(axes, sides[1], colours=greys, at_left=False)
    return figure


@dataclass(frozen=True)
class _Side:
    """The bars of one side, from the top, in inches."""

    names: Sequence[str]
    sizes: Int[np.ndarray, "groups"]
    starts: Float[np.ndarray, "groups"]
    """Where each bar begins."""
    scale: float
    """Inches of one row."""
    height: float

    @staticmethod
    def of(sizes: Int[np.ndarray, "groups"], names: Sequence[str]) -> _Side:
        """Bars of these sizes below each other, each in the middle of the room that its name needs."""
        scale = _ROWS / float(sizes.sum())
        room = np.maximum(sizes * scale, _LINE)
        ends = np.cumsum(room + _GAP)
        starts = ends - room - _GAP + (room - sizes * scale) / 2
        return _Side(names, sizes, starts, scale, float(ends[-1]))


def _gathered(counts: Int[np.ndarray, "groups others"], names: list[str]) -> tuple[np.ndarray, list[str]]:
    """The largest groups with the rest as one before the noise; empty groups are left out."""
    sizes = counts.sum(1)
    noise = [index for index, name in enumerate(names) if name == "noise" and sizes[index]]
    clusters = np.array([index for index in np.flatnonzero(sizes) if index not in noise], dtype=np.int64)
    kept = np.sort(clusters[top(sizes[clusters], most=_MOST_GROUPS)]) if len(clusters) else clusters
    rest = np.setdiff1d(clusters, kept)
    parts, shown = [counts[kept]], [names[index] for index in kept]
    if len(rest):
        parts.append(counts[rest].sum(0, keepdims=True))
        shown.append(count_of(len(rest), "more cluster"))
    return np.concatenate([*parts, counts[noise]]), [*shown, *("noise" for _ in noise)]


def _by_origin(turned: Int[np.ndarray, "groups lefts"], names: Sequence[str]) -> list[int]:
    """The groups by the mean place of their rows at the left; noise last."""
    places = turned @ np.arange(turned.shape[1]) / np.maximum(turned.sum(1), 1)
    return sorted(range(len(names)), key=lambda index: (names[index] == "noise", places[index], index))


def _draw_bands(
    axes: Axes, counts: Int[np.ndarray, "first second"], *, sides: Sequence[_Side], colours: Sequence[str]
) -> None:
    """One band for each two groups that share rows, from the left bar's edge to the right one's."""
    at = [sides[0].starts.copy(), sides[1].starts.copy()]
    for left, right in np.argwhere(counts):
        height = counts[left, right] * sides[0].scale
        start, end = float(at[0][left]), float(at[1][right])
        at[0][left] += height
        at[1][right] += height
        outline = _band(start, end, height=float(height))
        axes.add_patch(PathPatch(outline, facecolor=colours[left], edgecolor="none", alpha=0.45))


def _band(left: float, right: float, *, height: float) -> Path:
    """The outline of a band with level ends."""
    start, end, middle = _BAR, 1 - _BAR, 0.5
    below, under = left + height, right + height
    points = [
        (start, left), (middle, left), (middle, right), (end, right),
        (end, under), (middle, under), (middle, below), (start, below), (start, left),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _draw_bars(axes: Axes, side: _Side, *, colours: Sequence[str], at_left: bool) -> None:
    """A bar for each group, with its name and how many rows it has beside it."""
    edge = 0.0 if at_left else 1 - _BAR
    for index, name in enumerate(side.names):
        start, height = float(side.starts[index]), float(side.sizes[index] * side.scale)
        axes.bar(edge, height, width=_BAR, bottom=start, align="edge", color=colours[index])
        size = f" \N{MIDDLE DOT} {int(side.sizes[index]):,}"
        room = _NAMES - 0.15 - inches(size, size=SMALL)
        axes.text(
            -0.02 if at_left else 1.02,
            start + height / 2,
            fit_line(name, width=room, size=SMALL) + size,
            fontsize=SMALL,
            color=INK,
            ha="right" if at_left else "left",
            va="center",
        )
