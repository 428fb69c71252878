"""A heat map with its names at the sides and its numbers in the cells, drawn where they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from polylens.figures.style import BLUES, FAINT, INK, SMALL, WIDTH, bare
from polylens.figures.words import fit_line, inches
from polylens.wording import largest, short

ROW = 0.235
"""Inches of a row with its name."""


def in_cells(matrix: Float[np.ndarray, "rows columns"]) -> list[list[str]]:
    """The numbers of a matrix as its cells show them, next to its largest one; nothing where there is none.

    >>> in_cells(np.array([[0.5, 0.0001], [np.nan, 0.0]]))
    [['0.50', '0.00'], ['', '0']]
    """
    size = largest(matrix.ravel().tolist())
    return [
        [short(value, beside=size) if np.isfinite(value) else "" for value in row] for row in matrix.tolist()
    ]


def draw_heat(
    axes: Axes,
    *,
    values: Float[np.ndarray, "rows columns"],
    texts: Sequence[Sequence[str]] | None,
    row_names: Sequence[str],
    column_names: Sequence[str],
    low: float = 0.0,
    high: float = 1.0,
    height: float = math.inf,
) -> None:
    """Draws the values as coloured cells, columns named above, rows named at the left.

    Args:
        axes: where to.
        values: colour of each cell; NaN stays empty.
        texts: what stands in each cell; left out where a cell is too narrow for it.
        row_names: one a row.
        column_names: one a column.
        low: value of the lightest colour.
        high: value of the deepest colour.
        height: inches there are for the rows; where they are too many, only some are named.
    """
    n_rows, n_columns = values.shape
    every = max(1, math.ceil(n_rows * ROW * 0.75 / height))
    rows = {row: _row_name(row_names[row]) for row in range(0, n_rows, every)}
    cell = _cell(row_names, column_names)
    norm = Normalize(low, high if high > low else low + 1)
    axes.set_facecolor(FAINT)
    axes.imshow(np.ma.masked_invalid(values), cmap=BLUES, norm=norm, aspect="auto", interpolation="nearest")
    if max(n_columns, n_rows) <= 60:
        axes.set_xticks(np.arange(n_columns + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(n_rows + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=1.0)
    axes.set_yticks(list(rows), list(rows.values()))
    _name_columns(axes, column_names, cell=cell)
    bare(axes)
    if texts is None:
        return
    for row, column in np.ndindex(n_rows, n_columns):
        if texts[row][column] and inches(texts[row][column], size=SMALL) < cell * 0.97:
            deep = np.isfinite(values[row, column]) and norm(values[row, column]) > 0.55
            axes.text(
                column,
                row,
                texts[row][column],
                ha="center",
                va="center_baseline",
                fontsize=SMALL,
                color="white" if deep else INK,
            )


def head_height(row_names: Sequence[str], column_names: Sequence[str]) -> float:
    """Inches that the names of the columns take above the rows, and the air around."""
    if _flat(column_names, cell=_cell(row_names, column_names)):
        return 0.5
    return 0.42 + max(inches(_column_name(name), size=SMALL) for name in column_names)


def _row_name(name: str) -> str:
    return fit_line(name, width=1.9, size=SMALL)


def _column_name(name: str) -> str:
    return fit_line(name, width=1.5, size=SMALL)


def _cell(row_names: Sequence[str], column_names: Sequence[str]) -> float:
    """Inches of a column."""
    names = max((inches(_row_name(name), size=SMALL) for name in row_names), default=0)
    return (WIDTH - 0.5 - names) / max(len(column_names), 1)


def _flat(names: Sequence[str], *, cell: float) -> bool:
    """Whether the names of the columns stand side by side without being turned."""
    return all(inches(_column_name(name), size=SMALL) <= cell * 0.94 for name in names)


def _name_columns(axes: Axes, names: Sequence[str], *, cell: float) -> None:
    flat = _flat(names, cell=cell)
    every = 1 if flat else max(1, math.ceil(0.17 / cell))
    axes.xaxis.tick_top()
    axes.set_xticks(range(0, len(names), every), [_column_name(name) for name in names[::every]])
    if not flat:
        axes.tick_params(axis="x", labelrotation=90)


def row_shares(counts: Int[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
    """Each count as a share of its row's sum; rows without counts are NaN.

    >>> row_shares(np.array([[1, 3], [0, 0]])).tolist()
    [[0.25, 0.75], [nan, nan]]
    """
    totals = counts.sum(axis=1, keepdims=True)
    return np.where(totals > 0, counts / np.maximum(totals, 1), np.nan)
