"""Histograms of the distances of same-class and of different-class pairs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def distance_overlap(
    same: Float[np.ndarray, "same_pairs"], different: Float[np.ndarray, "different_pairs"]
) -> Figure:
    """Histograms of the distances of same-class and of different-class pairs."""
    figure = canvas("Distances", height=3)
    figure.add_subplot().hist([same, different])
    return figure
