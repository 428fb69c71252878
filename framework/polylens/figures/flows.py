"""Where the members of one set of groups are in another set: bars at both sides, bands between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from polylens.figures.placing import spread, top
from polylens.figures.style import CYCLE, INK, MUTED, NOISE_COLOUR, SMALL, canvas, picture, sentence
from polylens.figures.words import count_of, fit_line, plain

_MOST_GROUPS = 16
"""Groups of a side that get a bar of their own; the rest are one."""
_LINE = 0.21
"""Inches that a group's name needs."""
_GAP = 0.012
"""Share of the height between two bars."""
_BAR = 0.025
"""Width of a bar, as a share of the axes' width."""
_NAMES = 2.1
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
    height = max(3.0, _LINE * max(len(left), len(right)) + 0.4)
    figure = canvas(
        heading, note="Bands are rows, in the colour of the group at the left; grey is noise.", height=height
    )
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_ylim(1.0, -0.02)
    width = figure.get_size_inches()[0]
    room = _NAMES / (width - 2 * _NAMES)
    axes.set_xlim(-room, 1 + room)
    colours = _colours(left)
    starts = [_starts(counts.sum(1)), _starts(counts.sum(0))]
    scale = [_scale(counts.sum(1)), _scale(counts.sum(0))]
    _draw_bands(axes, counts, starts=starts, scale=scale, colours=colours)
    _draw_bars(axes, counts.sum(1), left, starts[0], scale[0], colours=colours, at_left=True)
    plain_colours = [NOISE_COLOUR if name == "noise" else MUTED for name in right]
    _draw_bars(axes, counts.sum(0), right, starts[1], scale[1], colours=plain_colours, at_left=False)
    return figure


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


def _scale(sizes: Int[np.ndarray, "groups"]) -> float:
    """Height of one row, beside the gaps between bars."""
    return (1.0 - _GAP * max(len(sizes) - 1, 0)) / float(sizes.sum())


def _starts(sizes: Int[np.ndarray, "groups"]) -> Float[np.ndarray, "groups"]:
    """Where each bar begins, from the top."""
    heights = sizes * _scale(sizes)
    return np.asarray(np.cumsum(heights) - heights + _GAP * np.arange(len(sizes)))


def _colours(names: Sequence[str]) -> list[str]:
    return [
        NOISE_COLOUR if name == "noise" else CYCLE[index % len(CYCLE)] for index, name in enumerate(names)
    ]


def _draw_bands(
    axes: Axes,
    counts: Int[np.ndarray, "first second"],
    *,
    starts: Sequence[Float[np.ndarray, "groups"]],
    scale: Sequence[float],
    colours: Sequence[str],
) -> None:
    """One band for each pair of groups that share rows, from the left bar's edge to the right one's."""
    at = [starts[0].copy(), starts[1].copy()]
    for left, right in np.argwhere(counts):
        heights = [counts[left, right] * each for each in scale]
        ends = [(at[0][left], at[0][left] + heights[0]), (at[1][right], at[1][right] + heights[1])]
        at[0][left], at[1][right] = ends[0][1], ends[1][1]
        axes.add_patch(
            PathPatch(_band(ends[0], ends[1]), facecolor=colours[left], edgecolor="none", alpha=0.45)
        )


def _band(left: tuple[float, float], right: tuple[float, float]) -> Path:
    """The outline of a band with level ends."""
    start, end, middle = _BAR, 1 - _BAR, 0.5
    points = [
        (start, left[0]), (middle, left[0]), (middle, right[0]), (end, right[0]),
        (end, right[1]), (middle, right[1]), (middle, left[1]), (start, left[1]), (start, left[0]),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])


def _draw_bars(
    axes: Axes,
    sizes: Int[np.ndarray, "groups"],
    names: Sequence[str],
    starts: Float[np.ndarray, "groups"],
    scale: float,
    *,
    colours: Sequence[str],
    at_left: bool,
) -> None:
    """A bar for each group, with its name and how many rows it has beside it."""
    middles = [float(start + size * scale / 2) for start, size in zip(starts, sizes, strict=True)]
    gap = 1.0 / max(3.0 / _LINE, len(names) + 1)
    places = spread(middles, gap=gap, low=0.01, high=0.99)
    edge = 0.0 if at_left else 1 - _BAR
    for index, name in enumerate(names):
        height = float(sizes[index] * scale)
        axes.bar(edge, height, width=_BAR, bottom=float(starts[index]), align="edge", color=colours[index])
        words = fit_line(f"{name}  {int(sizes[index]):,}", width=_NAMES - 0.15, size=SMALL)
        axes.text(
            -0.02 if at_left else 1.02,
            places[index],
            words,
            fontsize=SMALL,
            color=INK,
            ha="right" if at_left else "left",
            va="center",
        )
