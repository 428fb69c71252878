"""Examples as rows of pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image, UnidentifiedImageError

from polylens.figures.style import DPI, FAINT, INK, MUTED, RULE, SMALL, WIDTH, canvas, picture, sentence
from polylens.figures.words import lines

_ACROSS = 12
_MOST_ROWS = 40
_SIDE = 0.44
"""Inches of a picture and its gap."""
_NAMES = 1.55
"""Inches for the titles at the left."""


@picture
def gallery(images: Mapping[str, Sequence[bytes]]) -> Figure:
    """Examples as rows of pictures under their titles; a picture that cannot be read is an empty frame.

    Args:
        images: PNG bytes by the row's title, such as `3 · central`.
    """
    rows = [(title, pictures) for title, pictures in images.items() if len(pictures)]
    heading = "Examples"
    if not rows:
        return sentence(heading, "There are no examples to show.")
    cut = len(rows) > _MOST_ROWS or any(len(pictures) > _ACROSS for _, pictures in rows)
    hidden = max(0, len(rows) - _MOST_ROWS)
    rows = rows[:_MOST_ROWS]
    note = f"At most {_ACROSS} a row." if cut else ""
    if hidden:
        note += f" {hidden} more rows are not drawn."
    height = _SIDE * len(rows) + 0.12
    figure = canvas(heading, note=note, height=height)
    figure.set_layout_engine("none")
    total = figure.get_size_inches()[1]
    axes = figure.add_axes((0, 0, 1, height / total), xlim=(0, WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    for number, (title, pictures) in enumerate(rows):
        top = number * _SIDE + 0.04
        wrapped = "\n".join(lines(title, width=_NAMES - 0.15, size=SMALL, most=2))
        axes.text(0.12, top + _SIDE / 2, wrapped, va="center", fontsize=SMALL, color=INK, linespacing=1.1)
        for place, png in enumerate(pictures[:_ACROSS]):
            left = 0.12 + _NAMES + place * _SIDE
            _draw(axes, png, left=left, top=top)
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    return figure


def _draw(axes: Axes, png: bytes, *, left: float, top: float) -> None:
    side = _SIDE - 0.05
    pixels = _pixels(png)
    frame = (left, left + side, top + side, top)
    if pixels is None:
        axes.add_patch(Rectangle((left, top), side, side, facecolor=FAINT, edgecolor=RULE, linewidth=0.6))
        axes.text(left + side / 2, top + side / 2, "?", ha="center", va="center", color=MUTED, fontsize=SMALL)
        return
    small = max(pixels.shape[:2]) < side * DPI
    axes.imshow(
        pixels, extent=frame, interpolation="nearest" if small else "antialiased", aspect="auto", zorder=2
    )
    axes.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor=RULE, linewidth=0.6, zorder=3))


def _pixels(png: bytes) -> UInt8[np.ndarray, "height width 3"] | None:
    """The picture as a square of colours, its shorter side padded; None where it cannot be read."""
    try:
        image = Image.open(io.BytesIO(png)).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    side = max(image.size)
    square = Image.new("RGB", (side, side), FAINT)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(square)
