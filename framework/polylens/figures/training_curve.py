"""How the training went, one panel a quantity."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def training_curve(history: pd.DataFrame) -> Figure:
    """How the training went, one panel a quantity."""
    figure = canvas("Training", height=3)
    figure.add_subplot()
    return figure
