"""A value for every pair of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def class_matrix(
    matrix: Float[np.ndarray, "classes classes"], *, classes: Sequence[str], unit: str
) -> Figure:
    """A value for every pair of classes."""
    figure = canvas(unit, height=4)
    figure.add_subplot().imshow(matrix)
    return figure
