"""How a training went."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from polylens.figures.style import MUTED, SMALL, STRONG, canvas, picture, sentence
from polylens.figures.words import fit_line, plain, tick
from polylens.wording import short

_STEPS = ("epoch", "step")
_ACROSS = 2
_MOST = 6


@picture
def training_curve(history: pd.DataFrame) -> Figure:
    """How the training went: one panel a quantity, against epochs (or steps, or rows of the table).

    Args:
        history: a column `epoch` or `step`, and one a quantity; rows where a quantity is NaN are passed over.
    """
    heading = "Training"
    step = next((name for name in _STEPS if name in history), None)
    columns = [
        name
        for name in history.columns
        if name not in _STEPS and pd.api.types.is_numeric_dtype(history[name]) and history[name].notna().any()
    ][:_MOST]
    if not columns:
        return sentence(heading, "Nothing was written down during the training.")
    across = min(_ACROSS, len(columns))
    down = -(-len(columns) // across)
    figure = canvas(f"{heading}, {len(history):,} {step + 's' if step else 'rows'}", height=2.5 * down)
    grid = figure.subplots(down, across, squeeze=False)
    for index, axes in enumerate(grid.flat):
        if index >= len(columns):
            axes.set_axis_off()
            continue
        values = history[columns[index]].to_numpy(dtype=float)
        steps = history[step].to_numpy(dtype=float) if step else np.arange(len(values), dtype=float)
        finite = np.isfinite(values) & np.isfinite(steps)
        steps, values = steps[finite], values[finite]
        if not len(values):
            axes.set_axis_off()
            continue
        axes.plot(steps, values, color=STRONG, marker="o" if len(values) == 1 else "")
        axes.plot(steps[-1], values[-1], "o", color=STRONG, markersize=5, clip_on=False)
        axes.annotate(
            short(float(values[-1])),
            (steps[-1], values[-1]),
            xytext=(5, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=SMALL,
            fontweight="bold",
            color=STRONG,
        )
        axes.set_title(fit_line(str(columns[index]).replace("_", " "), width=3.0, size=9.5, bold=True))
        if values.min() >= 0:
            axes.set_ylim(bottom=0)
        axes.locator_params(nbins=5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.set_major_formatter(FuncFormatter(tick))
        axes.grid(axis="y")
        axes.tick_params(length=0)
        axes.set_xlabel(plain(step or "row"), color=MUTED)
    return figure
