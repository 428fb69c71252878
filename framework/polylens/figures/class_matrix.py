"""A value for every pair of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from polylens.figures.heat import ROW, draw_heat, head_height, in_cells
from polylens.figures.style import BLUES, SMALL, canvas, picture, sentence
from polylens.figures.words import plain
from polylens.wording import capital, short

_MOST_CELLS = 250
"""Cells a side; more classes are drawn as means of blocks of neighbours."""
_MOST_NUMBERS = 24


@picture
def class_matrix(
    matrix: Float[np.ndarray, "classes classes"], *, classes: Sequence[str], unit: str
) -> Figure:
    """A value for every pair of classes, same-class pairs on the diagonal; unknown values stay empty.

    Args:
        matrix: NaN where there is no value.
        classes: names, in the matrix's order.
        unit: what the values are, with their unit.
    """
    heading = f"{capital(plain(unit, limit=90))}, class by class"
    if not np.isfinite(matrix).any():
        return sentence(heading, "No pair of classes has a value.")
    names = [str(name) for name in classes]
    note = "Pairs of one class lie on the diagonal."
    same = np.diag(matrix)[np.isfinite(np.diag(matrix))]
    apart = matrix[~np.eye(len(names), dtype=bool) & np.isfinite(matrix)]
    if same.size and apart.size:
        note += (
            f" Mean of the diagonal {short(float(same.mean()))}, mean off it {short(float(apart.mean()))}."
        )
    block = -(-len(names) // _MOST_CELLS)
    if block > 1:
        matrix, names = _blocks(matrix, block=block), names[::block]
        note += f" A cell is the mean of {block} by {block} neighbouring classes, named by the first."
    if not np.isfinite(matrix).all():
        note += " Empty cells have no pairs."

    n = len(names)
    low, high = float(np.nanmin(matrix)), float(np.nanmax(matrix))
    rows = min(ROW * n, 6.0)
    figure = canvas(heading, note=note, height=rows + head_height(names, names))
    axes = figure.add_subplot()
    texts = None
    if n <= _MOST_NUMBERS:
        texts = in_cells(matrix)
    draw_heat(
        axes,
        values=matrix,
        texts=texts,
        row_names=names,
        column_names=names,
        low=low,
        high=high,
        height=rows,
    )
    if high > low:
        scale = ScalarMappable(Normalize(low, high), BLUES)
        bar = figure.colorbar(scale, ax=axes, fraction=0.03, pad=0.02, aspect=30)
        bar.outline.set_visible(False)
        ticks = [low, (low + high) / 2, high]
        bar.set_ticks(ticks, labels=[short(value, beside=high) for value in ticks])
        bar.ax.tick_params(length=0, labelsize=SMALL)
    return figure


def _blocks(matrix: Float[np.ndarray, "classes classes"], *, block: int) -> Float[np.ndarray, "cells cells"]:
    """Means of blocks of neighbouring classes, over the values that are known."""
    starts = np.arange(0, len(matrix), block)
    known = np.isfinite(matrix)
    sums = np.add.reduceat(np.add.reduceat(np.where(known, matrix, 0.0), starts, axis=0), starts, axis=1)
    counts = np.add.reduceat(np.add.reduceat(known.astype(float), starts, axis=0), starts, axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
