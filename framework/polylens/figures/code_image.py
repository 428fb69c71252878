"""The codes as a picture, rows sorted by cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int
from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture
from polylens.records import CodeLayer


@picture
def code_image(
    bits: Bool[np.ndarray, "rows units"], *, labels: Int[np.ndarray, "rows"], layers: Sequence[CodeLayer]
) -> Figure:
    """The codes as a picture, rows sorted by cluster."""
    figure = canvas("Codes", height=4)
    figure.add_subplot().imshow(bits[np.argsort(labels, kind="stable")], aspect="auto")
    return figure
