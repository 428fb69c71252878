"""How two partitions of the same rows meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from polylens.figures.heat import ROW, draw_heat, head_height, row_shares
from polylens.figures.placing import top
from polylens.figures.style import canvas, picture, sentence
from polylens.figures.words import plain
from polylens.wording import capital, count_of

_MOST_ROWS = 30
_MOST_COLUMNS = 16
_THOUSAND = 1000


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

    Where there are too many, the largest groups of the first are shown, and of the second those that these
    fall into.

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
    counts, names = _merge(counts, names, kept=top(counts.sum(axis=1), most=_MOST_ROWS))
    met = np.nan_to_num(row_shares(counts))[:_MOST_ROWS].sum(axis=0)
    turned, columns = _merge(counts.T, columns, kept=top(met, most=_MOST_COLUMNS))
    counts = turned.T
    narrow = len(columns) > _MOST_COLUMNS / 2
    totals = counts.sum(axis=1).tolist()
    names = [f"{name}  ({total:,})" for name, total in zip(names, totals, strict=True)]
    figure = canvas(
        heading,
        note="Numbers are rows of data. Deeper colour: a larger share of the group at the left."
        + (" k: a thousand." if narrow and counts.max() >= _THOUSAND else ""),
        height=ROW * len(names) + head_height(names, columns),
    )
    draw_heat(
        figure.add_subplot(),
        values=row_shares(counts),
        texts=[[_write(n, narrow=narrow) if n else "" for n in row] for row in counts.tolist()],
        row_names=names,
        column_names=columns,
    )
    return figure


def _write(count: int, *, narrow: bool) -> str:
    """A count, short enough for a narrow cell where it must be.

    >>> _write(4662, narrow=True), _write(42161, narrow=True), _write(4662, narrow=False)
    ('4.7k', '42k', '4,662')
    """
    if not narrow or count < _THOUSAND:
        return f"{count:,}"
    thousands = count / _THOUSAND
    return f"{thousands:.1f}k" if thousands < 9.95 else f"{thousands:,.0f}k"


def _merge(
    counts: Int[np.ndarray, "rows columns"], names: list[str], *, kept: Int[np.ndarray, "shown"]
) -> tuple[Int[np.ndarray, "fewer columns"], list[str]]:
    """The kept groups, and all others as one."""
    if len(names) == len(kept):
        return counts, names
    rest = np.setdiff1d(np.arange(len(names)), kept)
    merged = np.concatenate([counts[kept], counts[rest].sum(axis=0, keepdims=True)])
    return merged, [*(names[index] for index in kept), count_of(len(rest), "other")]
