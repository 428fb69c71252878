"""Densities along paths: one panel a layer and variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from polylens.figures.style import (
    FAINT,
    INK,
    MUTED,
    RULE,
    SMALL,
    canvas,
    picture,
    sentence,
    variant_name,
    variant_style,
)
from polylens.figures.words import fit_line, tick

_MOST_LAYERS = 6
_MOST_VARIANTS = 4
_KINDS = {"different": "-", "same": (0, (2.2, 1.4))}


@picture
def path_curves(
    values: Mapping[str, pd.DataFrame],
    *,
    heading: str,
    note: str,
    along: str,
    height: str,
    level: bool = False,
) -> Figure:
    """Curves of different-class paths (solid) and same-class paths (dashed), a panel a layer and variant.

    Args:
        values: by variant a table with the columns `kind` (`same` or `different`), `layer`, `at`, `value`,
            `low` and `high`, and of chance `chance_low`, `chance_high` and `reversed`, where it is known.
        heading: what the figure shows.
        note: what the reader must know besides how curves are drawn.
        along: what `at` is.
        height: what `value` is.
        level: whether values are compared with 1, and places with 0; then same-class paths have no band.
    """
    shown = {
        name: table for name, table in values.items() if np.isfinite(table["value"].to_numpy(float)).any()
    }
    if not shown:
        return sentence(heading, "There is no density to show.")
    layers = _some(list(dict.fromkeys(str(layer) for each in shown.values() for layer in each["layer"])))
    variants = list(shown)[:_MOST_VARIANTS]
    drawn = {name: shown[name] for name in variants}
    text = (
        "Solid: paths between different classes. Dashed: within classes. Bands around lines are intervals. "
    )
    figure = canvas(
        heading, note=text + note + _count_hidden(shown, layers, variants), height=1.12 * len(layers) + 0.75
    )
    grid = figure.subplots(len(layers), len(variants), squeeze=False, sharex=True, sharey="row")
    for row, layer in enumerate(layers):
        for column, name in enumerate(variants):
            axes = grid[row, column]
            shade, _ = variant_style(name, list(shown))
            table = drawn[name]
            for kind, style in _KINDS.items():
                chosen = table[(table["layer"].astype(str) == layer) & (table["kind"] == kind)]
                is_main = kind == "different"
                _draw(axes, chosen, shade=shade, style=style, is_main=is_main, band=is_main or not level)
            _dress(axes, level=level)
            if row == 0:
                axes.set_title(variant_name(name), color=shade, pad=18)
            if column == 0:
                _name_layer(axes, layer)
        low, high = _limits(list(grid[row]), level=level)
        grid[row, 0].set_ylim(low, high)
    figure.supxlabel(along, fontsize=9.5, color=MUTED)
    figure.supylabel(height, fontsize=9.5, color=MUTED)
    return figure


def _name_layer(axes: Axes, layer: str) -> None:
    axes.text(
        0.0,
        1.04,
        fit_line("all layers" if layer == "all" else layer, width=5.0, size=SMALL),
        transform=axes.transAxes,
        fontsize=SMALL,
        color=INK,
    )


def _limits(panels: Sequence[Axes], *, level: bool) -> tuple[float, float]:
    """From 0, unless values are compared with 1: then all that is drawn, and some room around 1."""
    low, high = min(axes.dataLim.y0 for axes in panels), max(axes.dataLim.y1 for axes in panels)
    if not np.isfinite(high) or high <= 0:
        return 0.0, 1.0
    if not level:
        return 0.0, 1.08 * high
    low, high = min(low, 0.8), max(high, 1.2)
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _draw(axes: Axes, table: pd.DataFrame, *, shade: str, style: object, is_main: bool, band: bool) -> None:
    if not len(table):
        return
    at = table["at"].to_numpy(float)
    if is_main and "chance_low" in table:
        low, high = (table[name].to_numpy(float) for name in ("chance_low", "chance_high"))
        axes.fill_between(at, low, high, color=RULE, linewidth=0, zorder=1)
        axes.plot(at, table["reversed"].to_numpy(float), ":", color=INK, linewidth=1.1, zorder=3)
    if band:
        low, high = (table[name].to_numpy(float) for name in ("low", "high"))
        axes.fill_between(at, low, high, color=shade, alpha=0.22 if is_main else 0.10, linewidth=0, zorder=2)
    value = table["value"].to_numpy(float)
    axes.plot(at, value, linestyle=style, color=shade, linewidth=1.8 if is_main else 1.4, zorder=4)


def _dress(axes: Axes, *, level: bool) -> None:
    if level:
        axes.axhline(1.0, color=RULE, linewidth=1.0, zorder=0)
        axes.axvline(0.0, color=RULE, linewidth=1.0, zorder=0)
    axes.set_facecolor("white")
    axes.grid(axis="y", color=FAINT)
    axes.locator_params(axis="y", nbins=3)
    axes.locator_params(axis="x", nbins=5)
    axes.yaxis.set_major_formatter(FuncFormatter(tick))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)


def _some(layers: Sequence[str]) -> list[str]:
    """All layers together first, then a few of the others, evenly chosen."""
    others = [layer for layer in layers if layer != "all"]
    together = ["all"] if "all" in layers else []
    room = _MOST_LAYERS - len(together)
    if len(others) > room:
        others = [others[index] for index in np.linspace(0, len(others) - 1, room).astype(int)]
    return together + others


def _count_hidden(shown: Mapping[str, pd.DataFrame], layers: Sequence[str], variants: Sequence[str]) -> str:
    every = {str(layer) for table in shown.values() for layer in table["layer"]}
    parts = []
    if len(every) > len(layers):
        parts.append(f" {len(every) - len(layers)} more layers are not drawn.")
    if len(shown) > len(variants):
        parts.append(f" {len(shown) - len(variants)} more variants are not drawn.")
    return "".join(parts)
