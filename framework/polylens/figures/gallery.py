"""Examples as rows of pictures under their titles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def gallery(images: Mapping[str, Sequence[bytes]]) -> Figure:
    """Examples as rows of pictures under their titles."""
    figure = canvas("Examples", height=3)
    figure.add_subplot()
    return figure
