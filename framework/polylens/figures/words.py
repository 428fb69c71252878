"""Text for figures: literal, drawable with the shipped font, short enough; numbers as people write them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.ft2font import FT2Font

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


def percent(share: float) -> str:
    """A share in words of a hundred.

    >>> percent(0.5), percent(0.0004), percent(0.9999)
    ('50 %', '<1 %', '>99 %')
    """
    whole = f"{100 * share:.0f}"
    if whole == "0" and share > 0:
        return "<1 %"
    if whole == "100" and share < 1:
        return ">99 %"
    return f"{whole} %"


def count_of(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count_of(1, "cluster"), count_of(1200, "row"), count_of(2, "class")
    ('1 cluster', '1,200 rows', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else noun + ('es' if noun.endswith('s') else 's')}"


def short(value: float) -> str:
    """A measured number, to two digits behind the point or two significant ones; a dash for NaN.

    >>> short(0.9641), short(12.0), short(12345.6), short(0.0123), short(0.00012), short(float("nan"))
    ('0.96', '12.0', '12,346', '0.012', '1.2e-04', '–')
    """
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e7 or size < 1e-3:
        return f"{value:.1e}"
    if size < 0.1:
        return f"{value:.{1 - math.floor(math.log10(size))}f}"
    return f"{value:,.{2 if size < 10 else 1 if size < 100 else 0}f}"


def tick(value: float, position: int | None = None) -> str:
    """A number as it stands at an axis.

    >>> tick(0.5), tick(1.0), tick(2000.0)
    ('0.5', '1', '2,000')
    """
    del position
    return f"{round(value, 10):,g}"


def capital(text: str) -> str:
    """The text with a capital at its beginning.

    >>> capital("clusters of codes")
    'Clusters of codes'
    """
    return text[:1].upper() + text[1:]


def series(texts: Sequence[str]) -> str:
    """The different texts that are not empty, in their order, as one sentence part.

    >>> series(["a", "", "b", "a"])
    'a; b'
    """
    return "; ".join(dict.fromkeys(text for text in texts if text))


@cache
def _font(bold: bool) -> FT2Font:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return FT2Font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name))


@cache
def _drawable() -> frozenset[int]:
    return frozenset(_font(False).get_charmap()) & frozenset(_font(True).get_charmap())
