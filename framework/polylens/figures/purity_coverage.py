"""Purity against coverage, one curve a variant, one point a `min_cluster_size`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from polylens.figures.style import canvas, picture


@picture
def purity_coverage(curves: Mapping[str, Sequence[tuple[int, float, float]]]) -> Figure:
    """Purity against coverage, one curve a variant, one point a `min_cluster_size`."""
    figure = canvas("Purity against coverage", height=4)
    axes = figure.add_subplot()
    for curve in curves.values():
        axes.plot([c for _, c, _ in curve], [p for _, _, p in curve])
    return figure
