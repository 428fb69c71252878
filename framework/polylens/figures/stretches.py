"""How clusters lie along directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from polylens.figures.style import MUTED, NOISE_COLOUR, RULE, SMALL, WIDTH, canvas, colour, picture, sentence
from polylens.figures.words import fit_line, tick

_ROW = 0.27
"""Inches of one histogram."""
_ACROSS = 2
_MOST = 8
"""Most directions drawn."""
_NAMES = 1.35
"""Inches of the names at the left of a panel."""


@dataclass(frozen=True)
class Ridge:
    """One histogram of a panel."""

    name: str
    counts: Int[np.ndarray, "bins"]
    shade: int
    """Number of the cluster, which gives its colour; -1 for all rows."""


@dataclass(frozen=True)
class Along:
    """One direction, and what lies along it."""

    title: str
    edges: Float[np.ndarray, "edges"]
    ridges: Sequence[Ridge]


@picture
def stretches(directions: Sequence[Along], *, title: str, note: str = "") -> Figure:
    """A panel a direction: histograms of several clusters one under the other, each to its own height.

    Args:
        directions: with their histograms.
        title: what is shown.
        note: what the reader must know.
    """
    shown = [each for each in directions if any(ridge.counts.sum() for ridge in each.ridges)][:_MOST]
    if not shown:
        return sentence(title, "There are no clusters to lay along a direction.")
    down = -(-len(shown) // _ACROSS)
    tallest = max(len(each.ridges) for each in shown)
    figure = canvas(title, note=note, height=down * (_ROW * tallest + 0.62))
    grid = figure.subplots(down, _ACROSS, squeeze=False)
    for axes, each in zip(grid.flat, shown, strict=False):
        _draw(axes, each, rows=tallest)
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    return figure


def _draw(axes: Axes, along: Along, *, rows: int) -> None:
    axes.set_ylim(rows - 0.12, -1.0)
    axes.set_xlim(float(along.edges[0]), float(along.edges[-1]))
    for row, ridge in enumerate(along.ridges):
        top = max(float(ridge.counts.max(initial=0)), 1.0)
        heights = row - 0.86 * ridge.counts / top
        shade = NOISE_COLOUR if ridge.shade < 0 else colour(ridge.shade)
        axes.stairs(heights, along.edges, baseline=row, fill=True, color=shade, alpha=0.85)
        axes.plot(along.edges[[0, -1]], [row, row], color=RULE, linewidth=0.6)
    names = [fit_line(ridge.name, width=_NAMES, size=SMALL) for ridge in along.ridges]
    axes.set_yticks(np.arange(len(names)) - 0.36, names)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    for label, ridge in zip(axes.get_yticklabels(), along.ridges, strict=True):
        label.set_color(MUTED if ridge.shade < 0 else "black")
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.set_title(
        fit_line(along.title, width=WIDTH / _ACROSS - _NAMES - 0.5, size=SMALL, bold=True), fontsize=SMALL
    )
