"""Examples as rows of pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image, UnidentifiedImageError

from polylens.figures.style import DPI, FAINT, INK, MUTED, RULE, SMALL, WIDTH, canvas, picture, sentence
from polylens.figures.words import lines

_ACROSS = 12
_MOST_ROWS = 40
_PITCH = 70
"""Pixels from one picture to the next."""
_SIDE = 62
"""Pixels of a picture's side, its frame included."""
_NAMES = 1.55
"""Inches for the titles at the left."""
_MARGIN = 0.12
"""Inches at the left of the titles, and below the last row."""


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
    tall = _PITCH * len(rows) / DPI
    height = tall + _MARGIN
    figure = canvas(heading, note=note, height=height)
    figure.set_layout_engine("none")
    total = figure.get_size_inches()[1]
    axes = figure.add_axes((0, 0, 1, height / total), xlim=(0, WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    sheet = np.full((_PITCH * len(rows), _PITCH * _ACROSS, 3), 255, dtype=np.uint8)
    left = round((_MARGIN + _NAMES) * DPI)
    for number, (title, pictures) in enumerate(rows):
        top = number * _PITCH
        middle = (top + _SIDE / 2) / DPI
        wrapped = "\n".join(lines(title, width=_NAMES - 0.15, size=SMALL, most=2))
        axes.text(_MARGIN, middle, wrapped, va="center", fontsize=SMALL, color=INK, linespacing=1.1)
        for place, png in enumerate(pictures[:_ACROSS]):
            across = place * _PITCH
            pixels = _pixels(png)
            if pixels is None:
                centre = (left + across + _SIDE / 2) / DPI
                axes.text(centre, middle, "?", ha="center", va="center", color=MUTED, fontsize=SMALL)
            sheet[top : top + _SIDE, across : across + _SIDE] = _frame(pixels)
    # One picture of them all, pixel by pixel: an artist each takes a hundred times as long to draw.
    figure.figimage(sheet, xo=left, yo=round(_MARGIN * DPI), origin="upper", zorder=-1)
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    return figure


def _frame(pixels: Image.Image | None) -> UInt8[np.ndarray, "side side 3"]:
    """The picture at the size of the sheet, in its frame; an empty frame for None."""
    framed = Image.new("RGB", (_SIDE, _SIDE), RULE)
    inside = _SIDE - 2
    if pixels is None:
        pixels = Image.new("RGB", (inside, inside), FAINT)
    # A few large pixels stay what they are; many are averaged.
    how = Image.Resampling.NEAREST if pixels.width < inside else Image.Resampling.LANCZOS
    framed.paste(pixels.resize((inside, inside), how), (1, 1))
    return np.asarray(framed)


def _pixels(png: bytes) -> Image.Image | None:
    """The picture as a square of colours, its shorter side padded; None where it cannot be read."""
    try:
        image = Image.open(io.BytesIO(png)).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    side = max(image.size)
    square = Image.new("RGB", (side, side), FAINT)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square
