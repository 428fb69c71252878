"""Text for figures: literal, drawable with the shipped font, short enough."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.ft2font import FT2Font

from polylens.wording import at_axis

MISSING = "\N{WHITE SQUARE}"
_LONGEST = 400
"""Characters of one text that are looked at; what is longer is cut."""


def plain(text: str, *, limit: int = _LONGEST) -> str:
    """One line of drawable characters, at most `limit` long; what the font lacks becomes a white square.

    >>> plain("a\\nb\\u202e", limit=8)
    'a b'
    >>> plain("a very long name", limit=8)
    'a very …'
    """
    characters = []
    for character in unicodedata.normalize("NFC", text[: 4 * _LONGEST]):
        category = unicodedata.category(character)
        if character.isspace():
            characters.append(" ")
        elif category in ("Cc", "Cf"):
            continue
        else:
            characters.append(character if ord(character) in _drawable() else MISSING)
    line = " ".join("".join(characters).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


@lru_cache(maxsize=4096)
def inches(text: str, *, size: float, bold: bool = False) -> float:
    """How wide the text is drawn at `size` points."""
    font = _font(bold)
    font.set_size(size, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64 / 72


@lru_cache(maxsize=4096)
def fit_line(text: str, *, width: float, size: float, bold: bool = False) -> str:
    """The text as one line, cut with an ellipsis where it is wider than `width` inches."""
    line = plain(text)
    if inches(line, size=size, bold=bold) <= width:
        return line
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if inches(line[:middle].rstrip() + "…", size=size, bold=bold) <= width:
            low = middle
        else:
            high = middle - 1
    return line[:low].rstrip() + "…"


def lines(text: str, *, width: float, size: float, bold: bool = False, most: int = 4) -> list[str]:
    """The text as lines no wider than `width` inches; what does not fit `most` lines is cut."""
    words, broken = plain(text).split(" "), [""]
    while words:
        longer = f"{broken[-1]} {words[0]}".strip()
        if inches(longer, size=size, bold=bold) <= width:
            broken[-1] = longer
        elif not broken[-1] or len(broken) == most:
            broken[-1] = fit_line(
                longer if not broken[-1] else " ".join([broken[-1], *words]),
                width=width,
                size=size,
                bold=bold,
            )
            if len(broken) == most:
                break
        else:
            broken.append("")
            continue
        words.pop(0)
    return broken if broken != [""] else []


def tick(value: float, position: int | None = None) -> str:
    """A number as it stands at an axis.

    >>> tick(0.5), tick(1.0), tick(2000.0)
    ('0.5', '1', '2,000')
    """
    del position
    return at_axis(value)


@cache
def _font(bold: bool) -> FT2Font:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    # From memory: where the file stayed open, forks would read at each other's place in it, and fail.
    return FT2Font(BytesIO((Path(mpl.get_data_path()) / "fonts" / "ttf" / name).read_bytes()))


@cache
def _drawable() -> frozenset[int]:
    return frozenset(_font(False).get_charmap()) & frozenset(_font(True).get_charmap())
