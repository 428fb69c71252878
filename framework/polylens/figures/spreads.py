"""How measured values spread: quantiles of several groups on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from polylens.figures.style import MUTED, SMALL, canvas, colour, picture, sentence, variant_style
from polylens.figures.words import fit_line, tick
from polylens.wording import short

_STEP = 0.21
_MOST_INCHES = 15.0
"""Most inches that all bands take together; bands beyond are not drawn, and their number is said."""


@picture
def spreads(
    values: Mapping[str, Mapping[str, Float[np.ndarray, "_"]]],
    *,
    title: str,
    note: str,
    unit: str,
    log: bool,
    variants: bool,
) -> Figure:
    """A band a group; in it for each series a line from 5 to 95 %, a thicker one for the middle half, a mark.

    Args:
        values: by group and series; what is not finite (or, on a logarithmic axis, not positive) is left out.
        title: what is shown.
        note: what the reader must know beside how to read the lines.
        unit: of the axis.
        log: whether the axis is logarithmic.
        variants: whether series are variants, which have colours and marks of their own.
    """
    groups = {
        name: {of: _drawable(array, log=log) for of, array in by.items()} for name, by in values.items()
    }
    groups = {name: by for name, by in groups.items() if any(len(array) for array in by.values())}
    if not groups:
        return sentence(title, "There is no value to show.")
    series = list(dict.fromkeys(of for by in groups.values() for of in by))
    most = max(int(_MOST_INCHES / _band(series)), 1)
    hidden = max(len(groups) - most, 0)
    groups = dict(list(groups.items())[:most])
    note += f" {hidden} more are not drawn." if hidden else ""
    reading = "Marks are medians, thick lines the middle half, thin ones 5 to 95 %; numbers are medians."
    figure = canvas(
        title,
        note=f"{note} {reading}".strip(),
        key=series if variants else (),
        height=_band(series) * len(groups) + 0.7,
    )
    axes = figure.add_subplot()
    band = _band(series)
    for place, by in enumerate(groups.values()):
        if place % 2 == 0:
            axes.axhspan(place - 0.5, place + 0.5, color="#f6f8f9", zorder=0, linewidth=0)
        for index, of in enumerate(series):
            at = place + (index - (len(series) - 1) / 2) * _STEP / band
            shade, marker = variant_style(of, series) if variants else (colour(index), "o")
            _draw(axes, by.get(of, np.zeros(0)), at=at, shade=shade, marker=marker)
            if not variants:
                label = fit_line(of, width=1.6, size=SMALL)
                axes.text(
                    1.1, at, label, transform=axes.get_yaxis_transform(), va="center_baseline",
                    fontsize=SMALL, color=shade,
                )  # fmt: skip
    _dress(axes, list(groups), log=log)
    axes.set_xlabel(unit)
    return figure


def _dress(axes: Axes, names: Sequence[str], *, log: bool) -> None:
    """Lays out the axis and names the groups."""
    if log:
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high > 300 * low else (1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [fit_line(name, width=1.9, size=SMALL) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def _band(series: Sequence[str]) -> float:
    return _STEP * len(series) + 0.16


def _drawable(array: Float[np.ndarray, "_"], *, log: bool) -> Float[np.ndarray, "_"]:
    kept = np.isfinite(array) & ((array > 0) | (not log))
    return np.asarray(array[kept])


def _draw(axes: Axes, array: Float[np.ndarray, "_"], *, at: float, shade: str, marker: str) -> None:
    where = axes.get_yaxis_transform()
    if not len(array):
        axes.text(1.015, at, "–", transform=where, va="center_baseline", fontsize=SMALL, color=MUTED)
        return
    low, lower, middle, upper, high = np.quantile(array, [0.05, 0.25, 0.5, 0.75, 0.95])
    axes.plot([low, high], [at, at], color=shade, linewidth=1.2, alpha=0.6, zorder=2)
    axes.plot([lower, upper], [at, at], color=shade, linewidth=4.5, alpha=0.45, zorder=2)
    axes.plot(
        middle, at, marker, color=shade, markersize=6, markeredgecolor="white", markeredgewidth=0.8, zorder=4
    )
    axes.text(
        1.015, at, short(float(middle)), transform=where, va="center_baseline", fontsize=SMALL, color=shade
    )
