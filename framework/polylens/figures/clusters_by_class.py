"""Which classes the rows of each cluster come from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def clusters_by_class(
    labels: Int[np.ndarray, "rows"], *, targets: Int[np.ndarray, "rows"], classes: Sequence[str]
) -> Figure:
    """Which classes the rows of each cluster come from."""
    table = np.zeros((int(labels.max(initial=-1)) + 2, len(classes)))
    np.add.at(table, (labels, targets), 1)
    figure = canvas("Clusters by class", height=4)
    figure.add_subplot().imshow(table, aspect="auto")
    return figure
