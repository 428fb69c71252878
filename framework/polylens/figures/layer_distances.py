"""The share of each layer's units that differ, in same-class and in different-class pairs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def layer_distances(values: Mapping[str, pd.DataFrame]) -> Figure:
    """The share of each layer's units that differ, in same-class and in different-class pairs."""
    figure = canvas("Layer distances", height=3)
    figure.add_subplot()
    return figure
