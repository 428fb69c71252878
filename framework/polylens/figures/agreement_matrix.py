"""How well every two of several things agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from polylens.figures.heat import ROW, draw_heat, head_height, in_cells
from polylens.figures.style import SMALL, canvas, picture, sentence
from polylens.figures.words import fit_line

_MOST_NUMBERS = 16
_MOST_INCHES = 16.0


@picture
def agreement_matrix(
    matrices: Mapping[str, Float[np.ndarray, "things things"]],
    *,
    names: Sequence[str],
    title: str,
    note: str,
) -> Figure:
    """A symmetric matrix for each panel, from no agreement (light) to full (deep); the diagonal stays empty.

    Args:
        matrices: by panel; NaN where there is no value.
        names: of the things, in the matrices' order.
        title: what is shown.
        note: what the reader must know.
    """
    shown = {panel: matrix for panel, matrix in matrices.items() if np.isfinite(matrix).any()}
    if not shown:
        return sentence(title, "There are no two things to compare.")
    rows = min(ROW * len(names), _MOST_INCHES / len(shown) - head_height(names, names))
    each = rows + head_height(names, names) + 0.3
    figure = canvas(title, note=note, height=each * len(shown))
    grid = figure.subplots(len(shown), 1, squeeze=False)
    for axes, (panel, matrix) in zip(grid.flat, shown.items(), strict=True):
        texts = None
        if len(names) <= _MOST_NUMBERS:
            texts = in_cells(matrix)
        draw_heat(
            axes, values=matrix, texts=texts, row_names=names, column_names=names, height=rows,
        )  # fmt: skip
        axes.set_title(fit_line(panel, width=5.0, size=SMALL, bold=True), fontsize=SMALL)
    return figure
