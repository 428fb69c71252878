"""A slice of a network's polytopes: cells, class regions, the decision boundary and three examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Rectangle

from polylens.figures.style import (
    CYCLE,
    INK,
    RULE,
    SMALL,
    WIDTH,
    bare,
    canvas,
    colour,
    picture,
    sentence,
    variant_name,
)
from polylens.figures.words import fit_line, inches

_GAP = 0.14
"""Inches between panels and at the figure's edge."""
_NAME = 0.25
"""Inches above a panel for its name."""
_LARGE, _ALONE = 4.9, 6.2
"""Inches of the side of the network's panel, beside controls and alone."""
_MOST_SMALL = 3
"""Panels in the column of the controls."""
_THUMBNAIL, _SMALLER = 0.5, 0.24
"""Inches of the side of an example's picture, in the large panel and in small ones."""
_KEY = 0.25
"""Inches of a line of the key."""
_MOST_KEYS = 24
"""Outputs in the key."""
_GOLDEN = 0.6180339887498949
"""Multiples of it, without their whole part, are far from each other: so are the shades of neighbours."""


@dataclass(frozen=True, eq=False)
class PlanePanel:
    """One network's slice."""

    corners: Float64[np.ndarray, "corners 2"]
    """Corners of all pieces, one piece after the other."""
    starts: Int64[np.ndarray, "pieces"]
    """Where each piece starts."""
    output: Int64[np.ndarray, "pieces"]
    """The output that leads in each."""
    cell: Int64[np.ndarray, "pieces"]
    """The cell that each is a part of."""
    edges: Float64[np.ndarray, "edges 2 2"]
    """Boundaries between cells."""
    decision: Float64[np.ndarray, "lines 2 2"]
    square: Float64[np.ndarray, "4 2"]

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return int(self.cell.max()) + 1


@dataclass(frozen=True, eq=False)
class PlanePoint:
    """An example that the plane is laid through."""

    place: Float64[np.ndarray, "2"]
    name: str
    """Its class, or another short name."""
    pixels: UInt8[np.ndarray, "rows columns 3"]
    """Its picture; empty where it has none."""


@picture
def plane_slices(
    panels: Mapping[str, PlanePanel], points: Sequence[PlanePoint], *, names: Sequence[str], heading: str
) -> Figure:
    """The network's slice, and smaller beside it the same square of the controls.

    Args:
        panels: by variant, the network first.
        points: the examples that the plane is laid through.
        names: of the outputs.
        heading: what the figure shows.
    """
    if not panels:
        return sentence("Slice", "There is no slice to draw.")
    shown = list(panels)[: 1 + _MOST_SMALL]
    count = len(shown) - 1
    large, small = _sides(count)
    shades = _shades([panels[name] for name in shown])
    key = _key_lines(shades, names)
    height = _NAME + large + _GAP + _KEY * len(key)
    note = (
        "Each shard is one polytope, where the network is one affine map. Colour: what it predicts. Thick "
        "line: where the prediction changes."
    )
    if len(panels) > len(shown):
        note += f" Not drawn: {len(panels) - len(shown)} more of the variants."
    figure = canvas(heading, note=note, height=height)
    figure.set_layout_engine("none")
    left = (WIDTH - large - (_GAP + small if count else 0.0)) / 2
    _panel(figure, (left, height - _NAME - large, large), shown[0], panels[shown[0]], shades, points)
    for place, name in enumerate(shown[1:]):
        bottom = height - (place + 1) * (_NAME + small) - place * _GAP
        _panel(figure, (left + large + _GAP, bottom, small), name, panels[name], shades, points)
    _draw_key(figure, key, shades, left=left)
    return figure


def _sides(count: int) -> tuple[float, float]:
    """Inches of the large panel and of each of `count` small ones, which stand in one column beside it."""
    if not count:
        return _ALONE, 0.0
    beside = (_LARGE + _NAME - (count - 1) * _GAP) / count - _NAME
    return _LARGE, min(beside, WIDTH - 3 * _GAP - _LARGE)


def _shades(panels: Sequence[PlanePanel]) -> dict[int, str]:
    """A colour for each output that leads anywhere; that of its number, where there are few outputs."""
    seen = sorted({output for panel in panels for output in np.unique(panel.output).tolist()})
    few = not seen or seen[-1] < len(CYCLE)
    return {output: colour(output if few else place) for place, output in enumerate(seen)}


def _panel(
    figure: Figure,
    box: tuple[float, float, float],
    name: str,
    panel: PlanePanel,
    shades: Mapping[int, str],
    points: Sequence[PlanePoint],
) -> None:
    """Draws one slice into a square box (left, bottom, side) in inches."""
    left, bottom, side = box
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
    low, high = panel.square.min(axis=0), panel.square.max(axis=0)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
    bare(axes)
    text = f"{variant_name(name)}: {panel.n_cells:,}{' polytopes' if side > _LARGE / 2 else ''}"
    if inches(text, size=9.5, bold=True) > side:
        text = variant_name(name)
    axes.set_title(fit_line(text, width=side, size=9.5, bold=True), pad=4)
    pieces = np.split(panel.corners, panel.starts[1:])
    colours = np.array([to_rgb(shades[output]) for output in panel.output.tolist()])
    white = 0.22 + 0.42 * ((panel.cell * _GOLDEN) % 1.0)[:, None]
    colours = colours * (1 - white) + white
    # Edges in the colours of the faces: without them, light shines through between shards.
    axes.add_collection(PolyCollection(pieces, facecolors=colours, edgecolors=colours, linewidths=0.3))
    wide = float(np.clip(side * 72 / np.sqrt(panel.n_cells) / 22, 0.05, 0.7))
    axes.add_collection(LineCollection(list(panel.edges), colors="white", linewidths=wide, alpha=0.7))
    thick = 2.0 if side > _LARGE / 2 else 1.3
    for shade, extra in (("white", 1.6), (INK, 0.0)):
        axes.add_collection(
            LineCollection(list(panel.decision), colors=shade, linewidths=thick + extra, capstyle="round")
        )
    axes.add_patch(
        Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor=RULE, clip_on=False)
    )
    _mark(axes, points, side=side, low=low, extent=float(high[0] - low[0]))


def _mark(
    axes: Axes,
    points: Sequence[PlanePoint],
    *,
    side: float,
    low: Float64[np.ndarray, "2"],
    extent: float,
) -> None:
    """Dots at the examples, and outside of them, seen from their middle, their pictures."""
    picture_side = _THUMBNAIL if side > _LARGE / 2 else _SMALLER
    centre = np.mean([point.place for point in points], axis=0) if points else low
    for point in points:
        axes.plot(*point.place, "o", color=INK, markersize=5 * (picture_side / _THUMBNAIL) ** 0.5,
                  markeredgecolor="white", markeredgewidth=1.0, zorder=6)  # fmt: skip
        away = point.place - centre
        length = float(np.linalg.norm(away))
        away = away / length if length > 0 else np.array([0.0, 1.0])
        inch = extent / side
        place = point.place + away * inch * (0.72 * picture_side + 0.1)
        edge = inch * (picture_side / 2 + 0.04)
        outside = 1.0 if away[1] > 0 else -1.0
        room = np.array([0.0, inch * 0.17 * outside if picture_side == _THUMBNAIL else 0.0])
        place = np.clip(place, low + edge - room.clip(max=0.0), low + extent - edge - room.clip(min=0.0))
        if point.pixels.size:
            zoom = picture_side * 72 / max(point.pixels.shape[:2])
            image = OffsetImage(point.pixels, zoom=zoom, interpolation="nearest")
            frame = {"edgecolor": INK, "linewidth": 0.9, "boxstyle": "square,pad=0"}
            axes.add_artist(AnnotationBbox(image, tuple(place), pad=0.0, bboxprops=frame, zorder=7))
        if picture_side == _THUMBNAIL or not point.pixels.size:
            beyond = place + np.array([0.0, outside * edge if point.pixels.size else 0.0])
            name = fit_line(point.name, width=1.2, size=SMALL, bold=True)
            half = inch * (inches(name, size=SMALL, bold=True) / 2 + 0.04)
            axes.text(
                float(np.clip(beyond[0], low[0] + half, low[0] + extent - half)),
                float(beyond[1]),
                name,
                ha="center",
                va="bottom" if outside > 0 else "top",
                fontsize=SMALL,
                fontweight="bold",
                color=INK,
                zorder=8,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85},
            )


def _key_lines(shades: Mapping[int, str], names: Sequence[str]) -> list[list[tuple[int, str, float]]]:
    """Each line of the key: outputs, their names, and their left edges in inches."""
    lines: list[list[tuple[int, str, float]]] = []
    room = left = WIDTH - 2 * _GAP
    for output in list(shades)[:_MOST_KEYS]:
        name = fit_line(names[output], width=1.6, size=SMALL)
        wide = 0.2 + inches(name, size=SMALL) + 0.2
        if not lines or left + wide > room:
            lines.append([])
            left = 0.0
        lines[-1].append((output, name, left))
        left += wide
    return lines


def _draw_key(
    figure: Figure, key: Sequence[Sequence[tuple[int, str, float]]], shades: Mapping[int, str], *, left: float
) -> None:
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, width), ylim=(0, height), zorder=-1)
    axes.set_axis_off()
    for number, line in enumerate(key):
        middle = _KEY * (len(key) - number) - 0.1
        for output, name, start in line:
            low = (left + start, middle - 0.06)
            axes.add_patch(Rectangle(low, 0.13, 0.13, facecolor=shades[output], alpha=0.8))
            axes.text(left + start + 0.19, middle, name, fontsize=SMALL, va="center_baseline")
