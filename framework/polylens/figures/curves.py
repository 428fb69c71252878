"""Measured numbers along a quantity that was varied, a panel a subject, a line a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from polylens.figures.style import SMALL, canvas, picture, sentence, variant_style
from polylens.figures.words import fit_line, plain, tick

_ACROSS = 2
_HEIGHT = 2.3
_MOST_PANELS = 12
_MOST_TICKS = 12
"""Places that are all named at their axis; of more, round numbers are."""

Line = Sequence[tuple[float, float]]
"""Places and values."""


@picture
def curves(
    panels: Mapping[str, Mapping[str, Sequence[Line]]],
    *,
    title: str,
    note: str,
    x: str,
    y: str,
    dashed: Mapping[str, Mapping[str, Sequence[Line]]] | None = None,
    log_x: bool = True,
    log_y: bool = True,
) -> Figure:
    """Lines of each variant, one a draw, in a panel for each subject.

    Args:
        panels: by panel and variant.
        title: what is shown.
        note: what the reader must know.
        x: what was varied.
        y: what was measured.
        dashed: other lines in the same panels, drawn dashed.
        log_x: whether what was varied is laid out logarithmically.
        log_y: whether values are; what is zero is then left out.
    """
    others = dashed or {}
    shown = {
        name: by
        for name, by in panels.items()
        if any(_points(line, log_y) for of in by.values() for line in of)
    }
    if not shown:
        return sentence(title, "There is no value to show.")
    if len(shown) > _MOST_PANELS:
        note += f" {len(shown) - _MOST_PANELS} more are not drawn."
        shown = dict(list(shown.items())[:_MOST_PANELS])
    variants = list(dict.fromkeys(variant for by in shown.values() for variant in by))
    across = min(_ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = canvas(title, note=note, key=variants, height=down * _HEIGHT + 0.35)
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    places = sorted(
        {place for by in shown.values() for of in by.values() for line in of for place, _ in line}
    )
    for index, axes in enumerate(grid.flat):
        if index >= len(shown):
            axes.set_axis_off()
            continue
        name = list(shown)[index]
        _draw(axes, shown[name], variants=variants, style="-", log=log_y)
        _draw(axes, others.get(name, {}), variants=variants, style=(0, (3, 2)), log=log_y)
        axes.set_title(fit_line(plain(name), width=6.4 / across, size=SMALL, bold=True), fontsize=SMALL)
        _dress(axes, places=places, log_x=log_x, log_y=log_y)
    figure.supxlabel(x, fontsize=SMALL)
    figure.supylabel(y, fontsize=SMALL)
    return figure


def _dress(axes: Axes, *, places: Sequence[float], log_x: bool, log_y: bool) -> None:
    """Lays out both axes and names what was varied, each value where there are few."""
    if log_x:
        axes.set_xscale("log")
    if len(places) <= _MOST_TICKS:
        axes.xaxis.set_major_locator(FixedLocator(places))
        axes.xaxis.set_minor_locator(NullLocator())
    if log_y:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.yaxis.set_major_formatter(FuncFormatter(tick))
    axes.grid()


def _points(line: Line, log: bool) -> list[tuple[float, float]]:
    return [(place, value) for place, value in line if value == value and (value > 0 or not log)]


def _draw(
    axes: Axes,
    by: Mapping[str, Sequence[Line]],
    *,
    variants: Sequence[str],
    style: str | tuple[int, tuple[int, int]],
    log: bool,
) -> None:
    for variant, lines in by.items():
        shade, marker = variant_style(variant, variants)
        for line in lines:
            points = _points(line, log)
            axes.plot(
                [place for place, _ in points],
                [value for _, value in points],
                linestyle=style,
                marker=marker if style == "-" else None,
                markersize=5,
                markeredgecolor="white",
                color=shade,
                linewidth=1.6 if len(lines) == 1 else 1.1,
            )
