"""How many rows each cluster holds, largest first, noise last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def cluster_sizes(labels: Int[np.ndarray, "rows"], *, names: Sequence[str] | None = None) -> Figure:
    """How many rows each cluster holds, largest first, noise last."""
    clusters, counts = np.unique(labels, return_counts=True)
    figure = canvas("Rows per cluster", height=0.25 * len(clusters) + 0.8)
    axes = figure.add_subplot()
    axes.barh([str(c) for c in clusters], counts)
    return figure
