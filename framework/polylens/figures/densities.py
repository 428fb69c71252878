"""Boundary density of same-class and of different-class pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from polylens.figures.dots import draw_pair, is_known, lines_are
from polylens.figures.style import SMALL, canvas, picture, sentence, variant_name, variant_style
from polylens.figures.words import plain, tick
from polylens.records import Number
from polylens.wording import largest, series, short


@picture
def densities(
    values: Mapping[str, Mapping[Literal["same", "different"], Number]], *, measured: str = "code distance"
) -> Figure:
    """Boundary density of same-class (hollow) and of different-class pairs (filled), one row a variant.

    Args:
        values: by variant.
        measured: what is divided by the distance.
    """
    heading = "Boundary density of pairs"
    shown = {variant: by for variant, by in values.items() if any(is_known(n.value) for n in by.values())}
    if not shown:
        return sentence(heading, "No pair of points has a density.")
    everything = [number for by in shown.values() for number in by.values()]
    size = largest(number.reach for number in everything)
    note = ["Hollow: pairs of one class. Filled: pairs of different classes.", *lines_are(everything)]
    figure = canvas(heading, note=" ".join(note), height=0.5 * len(shown) + 0.75)
    axes = figure.add_subplot()
    # A density is no share: small ones must not be squeezed into an axis up to 1.
    axes.set_xlim(
        0.0, 1.06 * max(float(v) for n in everything for v in (n.value, n.high) if is_known(v)) or 1.0
    )
    axes.set_ylim(len(shown) - 0.5, -0.5)
    for row, (variant, by) in enumerate(shown.items()):
        shade, _ = variant_style(variant, list(shown))
        draw_pair(axes, same=by.get("same"), different=by.get("different"), at=float(row), shade=shade)
        pair = [short(by[kind].value, beside=size) if kind in by else "–" for kind in ("same", "different")]
        axes.text(
            1.015,
            row,
            f"{pair[0]} → {pair[1]}",
            transform=axes.get_yaxis_transform(),
            va="center_baseline",
            fontsize=SMALL,
            color=shade,
        )
    axes.set_yticks(range(len(shown)), [variant_name(variant) for variant in shown])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.grid(axis="x")
    unit = series([number.unit for number in everything])
    axes.set_xlabel(plain(unit or f"density ({measured} over Euclidean distance)", limit=80))
    return figure
