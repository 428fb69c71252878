"""Density between classes over density within, per layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from polylens.figures.dots import NO_NUMBER, draw_numbers, extent, is_known, lines_are, write_beside
from polylens.figures.style import INK, SMALL, canvas, picture, sentence, variant_style
from polylens.figures.words import fit_line, tick
from polylens.records import Number
from polylens.wording import short

_MOST_LAYERS = 24


@picture
def density_ratios(ratios: Mapping[str, Mapping[str, Sequence[Number]]], *, title: str) -> Figure:
    """Boundary density of different-class pairs over that of same-class pairs, one band of rows a layer.

    Args:
        ratios: by variant and layer, one number a draw.
        title: what ratio this is, such as `Density ratio, matched by distance`.
    """
    layers = list(dict.fromkeys(layer for by in ratios.values() for layer, draws in by.items() if draws))
    everything = [number for by in ratios.values() for draws in by.values() for number in draws]
    if not layers or not any(is_known(number.value) for number in everything):
        return sentence(title, "No pair of points has a density, so there is no ratio to show.")
    hidden = max(0, len(layers) - _MOST_LAYERS)
    if hidden:
        layers = [layers[i] for i in np.linspace(0, len(layers) - 1, _MOST_LAYERS).astype(int)]
    variants = list(ratios)
    parts = [
        "Different-class over same-class pairs; above 1 means more boundaries between classes than within."
    ]
    parts += lines_are(everything)
    if hidden:
        parts.append(f"{hidden} more layers are not drawn.")
    step = 0.21
    band = step * len(variants) + 0.16
    figure = canvas(title, note=" ".join(parts), key=variants, height=band * len(layers) + 0.75)
    axes = figure.add_subplot()
    low, high = extent(everything, include=[1.0])
    low = min(low, 1 - 0.12 * (high - 1)) if low > 0 else low
    axes.set_xlim(low, high)
    axes.set_ylim(len(layers) - 0.5, -0.62)
    axes.plot([1.0, 1.0], [-0.5, len(layers) - 0.5], color=INK, linewidth=1.2, zorder=1)
    axes.text(1.0, -0.54, "no difference", ha="center", va="bottom", fontsize=SMALL, color=INK)
    for row, layer in enumerate(layers):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color="#f6f8f9", zorder=0, linewidth=0)
        for index, variant in enumerate(variants):
            draws = list(ratios[variant].get(layer, ()))
            shade, marker = variant_style(variant, variants)
            place = row + (index - (len(variants) - 1) / 2) * step / band
            draw_numbers(axes, numbers=draws, place=place, room=step / band * 0.6, shade=shade, marker=marker)
            values = [number.value for number in draws if is_known(number.value)]
            mean = short(sum(values) / len(values)) if values else NO_NUMBER
            write_beside(axes, mean, place=place, x=1.015, shade=shade, own=variant == "network")
    axes.set_yticks(range(len(layers)), [fit_line(layer, width=1.8, size=SMALL) for layer in layers])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_xlabel("ratio (1 = equally dense)")
    return figure
