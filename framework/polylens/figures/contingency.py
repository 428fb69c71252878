"""How two partitions of the same rows meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from polylens.figures.heat import ROW, draw_heat, head_height, row_shares
from polylens.figures.placing import top
from polylens.figures.style import canvas, picture, sentence
from polylens.figures.words import capital, counted, plain

_MOST_ROWS = 30
_MOST_COLUMNS = 16


@picture
def contingency(
    counts: Int[np.ndarray, "rows columns"],
    *,
    row_names: Sequence[str],
    column_names: Sequence[str],
    row_title: str,
    column_title: str,
) -> Figure:
    """How the groups of one partition are spread over the groups of another: numbers are rows of data.

    Args:
        counts: how many rows of data lie in both groups.
        row_names: one a group of the first partition.
        column_names: one a group of the second partition.
        row_title: what the first partition is, such as `activations`.
        column_title: what the second partition is.
    """
    heading = (
        f"{capital(plain(row_title, limit=60))} (rows) against {plain(column_title, limit=60)} (columns)"
    )
    if not counts.sum():
        return sentence(heading, "There is nothing to compare: no rows are in both partitions.")
    names, columns = [str(name) for name in row_names], [str(name) for name in column_names]
    counts, names = _merged(counts, names, most=_MOST_ROWS)
    turned, columns = _merged(counts.T, columns, most=_MOST_COLUMNS)
    counts = turned.T
    totals = counts.sum(axis=1).tolist()
    names = [f"{name}  ({total:,})" for name, total in zip(names, totals, strict=True)]
    figure = canvas(
        heading,
        note="Numbers are rows of data. Deeper colour: a larger share of the group at the left.",
        height=ROW * len(names) + head_height(names, columns),
    )
    draw_heat(
        figure.add_subplot(),
        values=row_shares(counts),
        texts=[[f"{n:,}" if n else "" for n in row] for row in counts.tolist()],
        row_names=names,
        column_names=columns,
    )
    return figure


def _merged(
    counts: Int[np.ndarray, "rows columns"], names: list[str], *, most: int
) -> tuple[Int[np.ndarray, "fewer columns"], list[str]]:
    if len(names) <= most:
        return counts, names
    kept = top(counts.sum(axis=1), most=most)
    rest = np.setdiff1d(np.arange(len(names)), kept)
    merged = np.concatenate([counts[kept], counts[rest].sum(axis=0, keepdims=True)])
    return merged, [*(names[index] for index in kept), counted(len(rest), "other")]
