"""Text from data, made fit for a figure: literal, drawable with the shipped font, short enough."""

from __future__ import annotations

import textwrap
import unicodedata
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.ft2font import FT2Font

MISSING = "\N{WHITE SQUARE}"


@cache
def _drawable() -> frozenset[int]:
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return frozenset.intersection(
        *(
            frozenset(FT2Font(str(folder / name)).get_charmap())
            for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
        )
    )


def plain(text: object, *, limit: int | None = None) -> str:
    """One line of drawable characters, at most `limit` long; what the font lacks becomes a white square.

    >>> plain("a\\nb\\u202e", limit=8)
    'a b'
    >>> plain("a very long name", limit=8)
    'a very …'
    """
    characters = []
    for character in unicodedata.normalize("NFC", str(text)):
        if character.isspace():
            characters.append(" ")
        elif unicodedata.category(character).startswith("C") and unicodedata.category(character) != "Co":
            continue
        else:
            characters.append(character if ord(character) in _drawable() else MISSING)
    line = " ".join("".join(characters).split())
    if limit is None or len(line) <= limit:
        return line
    return line[: limit - 1] + "…"


def wrapped(text: str, *, width: int) -> list[str]:
    """The text as lines of at most `width` characters."""
    return textwrap.wrap(plain(text), width)


def percent(share: float) -> str:
    """A share in words of a hundred.

    >>> percent(0.5), percent(0.0004)
    ('50 %', '<1 %')
    """
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 <= share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %"


def count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "cluster"), count(1200, "row")
    ('1 cluster', '1,200 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
