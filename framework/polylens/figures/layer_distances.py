"""The share of each layer's units that differ within pairs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from polylens.figures.dots import draw_pair, extent
from polylens.figures.style import MUTED, SMALL, canvas, picture, sentence, variant_name, variant_style
from polylens.figures.words import fit_line
from polylens.records import Number
from polylens.wording import percent

_ACROSS = 3
_MOST_LAYERS = 24


@picture
def layer_distances(values: Mapping[str, pd.DataFrame]) -> Figure:
    """The share of each layer's units in another regime, in same-class and in different-class pairs.

    Args:
        values: for each variant a table with the columns `layer`, `same` and `different`.
    """
    heading = "Units that differ between two rows, layer by layer"
    shown = {variant: table for variant, table in values.items() if len(table)}
    if not shown:
        return sentence(heading, "There are no pairs to compare.")
    layers = list(dict.fromkeys(str(layer) for table in shown.values() for layer in table["layer"]))
    hidden = max(0, len(layers) - _MOST_LAYERS)
    if hidden:
        layers = [layers[i] for i in np.linspace(0, len(layers) - 1, _MOST_LAYERS).astype(int)]
    note = "Hollow: pairs of one class. Filled: pairs of different classes."
    if hidden:
        note += f" {hidden} more layers are not drawn."
    across = min(_ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = canvas(heading, note=note, height=down * (0.25 * len(layers) + 0.65) + 0.25)
    grid = figure.subplots(down, across, squeeze=False, sharex=True)
    numbers = [
        Number(float(value))
        for table in shown.values()
        for part in ("same", "different")
        for value in table[part]
    ]
    _, high = extent(numbers, include=[0.0])
    tops = [number.value for number in numbers if np.isfinite(number.value)]
    limit = min(high, 1.15 * max(tops, default=1.0)) or 1.0
    for index, axes in enumerate(grid.flat):
        if index >= len(shown):
            axes.set_axis_off()
            continue
        variant, table = list(shown.items())[index]
        shade, _ = variant_style(variant, list(shown))
        places = {layer: float(row) for row, layer in enumerate(layers)}
        for layer, same, different in zip(table["layer"], table["same"], table["different"], strict=True):
            if str(layer) in places:
                draw_pair(
                    axes,
                    same=Number(float(same)),
                    different=Number(float(different)),
                    at=places[str(layer)],
                    shade=shade,
                )
        axes.set_title(variant_name(variant), color=shade)
        axes.set_xlim(0, limit)
        axes.set_ylim(len(layers) - 0.5, -0.5)
        names = [fit_line(layer, width=1.5, size=SMALL) for layer in layers]
        axes.set_yticks(range(len(layers)), names if index % across == 0 else [""] * len(layers))
        axes.locator_params(axis="x", nbins=4)
        axes.xaxis.set_major_formatter(lambda value, _: percent(value))
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)
    figure.supxlabel("share of the layer's units in another regime", fontsize=9.5, color=MUTED)
    return figure
