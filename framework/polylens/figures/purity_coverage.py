"""Purity against coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from polylens.figures.placing import free, spread
from polylens.figures.style import DPI, MUTED, SMALL, canvas, picture, sentence, variant_name, variant_style
from polylens.figures.words import inches
from polylens.wording import percent

_HEIGHT = 4.2


@picture
def purity_coverage(curves: Mapping[str, Sequence[Sequence[tuple[int, float, float]]]]) -> Figure:
    """Purity against coverage, one curve a draw of a variant, one point a `min_cluster_size`.

    Args:
        curves: for each variant the points of each draw (min_cluster_size, coverage, purity); those that are
            not finite are left out. Draws are never averaged: their coverages differ.
    """
    heading = "Purity against coverage"
    known = {
        variant: [finite for curve in draws if (finite := _finite(curve))]
        for variant, draws in curves.items()
    }
    drawn = {variant: draws for variant, draws in known.items() if draws}
    if not drawn:
        return sentence(heading, "No partition has clusters, so there is no purity to show.")
    figure = canvas(
        heading,
        note="Numbers beside points are min_cluster_size, of several draws of a control the first of each."
        " Up and to the right is better; purity alone is easy to raise by leaving rows out.",
        height=_HEIGHT,
    )
    axes = figure.add_subplot()
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.04)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], [percent(v) for v in (0.0, 0.25, 0.5, 0.75, 1.0)])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.grid(visible=True)
    axes.tick_params(length=0)
    axes.set_xlabel("coverage: share of rows in a cluster")
    axes.set_ylabel("purity: share of clustered rows in their\ncluster's most common class")
    ends = {
        variant: max((point for curve in draws for point in curve), key=lambda point: point[1])
        for variant, draws in drawn.items()
    }
    for variant in reversed(list(drawn)):
        shade, marker = variant_style(variant, list(drawn))
        for curve in drawn[variant]:
            axes.plot(
                [coverage for _, coverage, _ in curve],
                [purity for *_, purity in curve],
                marker=marker,
                color=shade,
                markersize=6 if len(drawn[variant]) == 1 else 4.5,
                markeredgecolor="white",
                markeredgewidth=0.8,
                linewidth=2.2 if variant == "network" else 1.4 if len(drawn[variant]) == 1 else 0.8,
                zorder=4 if variant == "network" else 3,
                clip_on=False,
            )
    places = spread([ends[variant][2] for variant in drawn], gap=0.055, low=0.0, high=1.0)
    for (variant, (_, coverage, purity)), place in zip(ends.items(), places, strict=True):
        shade, _ = variant_style(variant, list(drawn))
        axes.plot(
            [coverage, 1.03], [purity, place], color=shade, linewidth=0.7, alpha=0.5, clip_on=False, zorder=1
        )
        axes.text(1.04, place, variant_name(variant), color=shade, fontweight="bold", va="center_baseline")
    _number(figure, drawn)
    return figure


def _finite(curve: Sequence[tuple[int, float, float]]) -> list[tuple[int, float, float]]:
    return [point for point in sorted(curve) if math.isfinite(point[1]) and math.isfinite(point[2])]


def _number(figure: Figure, draws: Mapping[str, Sequence[Sequence[tuple[int, float, float]]]]) -> None:
    """Writes each point's size beside it, the network's first, where there is room."""
    figure.draw_without_rendering()
    axes = figure.axes[-1]
    # Of several draws one number each: lines of all would be a thicket of numbers.
    curves = {
        variant: [point for curve in each for point in (curve if len(each) == 1 else curve[:1])]
        for variant, each in draws.items()
    }
    at = {
        variant: [axes.transData.transform(point[1:]) for point in curve] for variant, curve in curves.items()
    }
    radius, tall = 0.045 * DPI, 0.062 * DPI
    points = [
        axes.transData.transform(point[1:]) for each in draws.values() for curve in each for point in curve
    ]
    taken = [(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    for variant, curve in sorted(curves.items(), key=lambda pair: pair[0] != "network"):
        for (size, coverage, purity), (x, y) in zip(curve, at[variant], strict=True):
            half = inches(str(size), size=SMALL) * DPI / 2 + 1
            for dx, dy in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                middle = np.array([x + dx * (half + radius + 3), y + dy * (tall + radius + 1)])
                box = (middle[0] - half, middle[1] - tall, middle[0] + half, middle[1] + tall)
                if free(box, taken):
                    taken.append(box)
                    axes.annotate(
                        str(size),
                        (coverage, purity),
                        xytext=tuple((middle - (x, y)) * 72 / DPI),
                        textcoords="offset points",
                        ha="center",
                        va="center",
                        fontsize=SMALL,
                        color=MUTED,
                        zorder=5,
                        path_effects=[withStroke(linewidth=2.5, foreground="white")],
                    )
                    break
