"""How two partitions of the same rows meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def contingency(
    counts: Int[np.ndarray, "rows columns"],
    *,
    row_names: Sequence[str],
    column_names: Sequence[str],
    row_title: str,
    column_title: str,
) -> Figure:
    """How two partitions of the same rows meet."""
    figure = canvas("Contingency", height=4)
    figure.add_subplot().imshow(counts)
    return figure
