"""A measure at every later layer and factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from polylens.figures.heat import ROW, draw_heat, head_height
from polylens.figures.style import SMALL, canvas, picture, sentence
from polylens.figures.words import fit_line
from polylens.wording import percent

_MOST_LAYERS = 30


@picture
def layer_factors(
    shares: Mapping[str, Float[np.ndarray, "layers factors"]],
    *,
    layers: Sequence[str],
    factors: Sequence[str],
    heading: str,
    note: str = "",
) -> Figure:
    """Shares of each later layer's units, one panel a case, layers as rows and factors as columns.

    Args:
        shares: by case, such as `scaled`.
        layers: in the order of execution.
        factors: as words.
        heading: of the figure.
        note: what the reader must know.
    """
    shown = {case: values for case, values in shares.items() if np.isfinite(values).any()}
    if not shown:
        return sentence(heading, "No later layer has units.")
    rows = np.arange(len(layers))
    if len(layers) > _MOST_LAYERS:
        rows = np.linspace(0, len(layers) - 1, _MOST_LAYERS).astype(int)
        note += f" {len(layers) - _MOST_LAYERS} more layers are not drawn."
    names = [layers[row] for row in rows.tolist()]
    top = max(float(np.nanmax(values)) for values in shown.values())
    each = ROW * len(names) + head_height(names, factors)
    figure = canvas(heading, note=note.strip(), height=each * len(shown))
    grid = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, (case, values) in zip(grid.tolist(), shown.items(), strict=True):
        chosen = values[rows]
        draw_heat(
            axes,
            values=chosen,
            texts=[[percent(one) if np.isfinite(one) else "" for one in row] for row in chosen.tolist()],
            row_names=names,
            column_names=factors,
            high=top,
            height=ROW * len(names),
        )
        axes.set_title(fit_line(case, width=4.0, size=SMALL, bold=True), fontsize=SMALL, pad=6)
    return figure
