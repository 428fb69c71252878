"""Boundary density of same-class and different-class pairs for each variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture
from polylens.records import Number


@picture
def densities(values: Mapping[str, Mapping[Literal["same", "different"], Number]]) -> Figure:
    """Boundary density of same-class and different-class pairs for each variant."""
    figure = canvas("Densities", height=3)
    figure.add_subplot()
    return figure
