"""Density between classes over density within, per layer, variants side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture
from polylens.records import Number


@picture
def density_ratios(ratios: Mapping[str, Mapping[str, Sequence[Number]]], *, title: str) -> Figure:
    """Density between classes over density within, per layer, variants side by side."""
    figure = canvas(title, height=3)
    figure.add_subplot()
    return figure
