"""Many small pictures as one: each is shown by its place on the sheet."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from math import ceil, isqrt, sqrt

from PIL import Image, UnidentifiedImageError

_SIDES = (40, 112)
"""Pixels of a tile at least and at most: a card shows it at about half of the larger on a sharp screen."""
_PIXELS = 10_000_000
"""Pixels of a sheet, as long as tiles are not smaller than the least: phones decode so many at once."""
_QUALITY = 82
_OFF, _HALF, _ON = (0xE6, 0xEB, 0xEF), (0x8A, 0xB8, 0xDC), (0x0B, 0x5F, 0xA5)
"""Colours of a unit that is off, half on and on, as figures of codes have them."""


@dataclass(frozen=True)
class Tile:
    """Where on its sheet a picture lies, as shares of the way from the first column or row to the last."""

    x: float
    y: float


@dataclass(frozen=True)
class Sheet:
    """Pictures of one size in rows and columns, as a data URI."""

    uri: str = ""
    """Empty where there is no picture."""
    columns: int = 1
    rows: int = 1
    places: Mapping[str, int] = field(default_factory=dict)
    """By digest of a picture: its number on the sheet, line by line."""
    left_out: int = 0
    """Pictures that found no room."""
    unreadable: int = 0
    """Pictures that are none."""

    def tile(self, png: bytes) -> Tile | None:
        """Where a picture lies; None where it could not be read or found no room."""
        place = self.places.get(_key(png))
        return None if place is None else _tile(place, columns=self.columns, rows=self.rows)


def sheet_of(pngs: Iterable[bytes], *, most_bytes: int) -> Sheet:
    """All pictures, each once, as small as it takes for them to fit; what still has no room is left out.

    Args:
        pngs: in the order of their importance, the last are left out first.
        most_bytes: characters of the sheet's data URI at most.
    """
    contents = {_key(png): png for png in pngs}
    side = max(_SIDES[0], min(_SIDES[1], isqrt(_PIXELS // max(len(contents), 1))))
    tiles = {key: tile for key, png in contents.items() if (tile := _read(png, side=side)) is not None}
    unreadable = len(contents) - len(tiles)
    shown = len(tiles)
    side = max((max(tile.size) for tile in tiles.values()), default=side)  # no empty edges around small ones
    while shown:
        uri, columns, rows = _draw([*islice(tiles.values(), shown)], side=side)
        if len(uri) <= most_bytes:
            places = {key: place for place, key in enumerate(islice(tiles, shown))}
            return Sheet(uri, columns, rows, places, len(tiles) - shown, unreadable)
        share = most_bytes / len(uri)
        if side > _SIDES[0]:
            side = max(_SIDES[0], int(side * sqrt(share) * 0.95))
        else:
            shown = int(shown * min(share, 0.95))
    return Sheet(left_out=len(tiles), unreadable=unreadable)


def _key(png: bytes) -> str:
    return sha256(png).hexdigest()


def _tile(place: int, *, columns: int, rows: int) -> Tile:
    row, column = divmod(place, columns)
    return Tile(column / max(columns - 1, 1), row / max(rows - 1, 1))


def _read(png: bytes, *, side: int) -> Image.Image | None:
    """A picture with its edges at most `side` long; a tiny one grows by whole pixels and is not blurred."""
    try:
        with Image.open(io.BytesIO(png)) as image:
            image.load()
            shown = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    factor = side // max(shown.size)
    if factor > 1:
        return shown.resize((shown.width * factor, shown.height * factor), Image.Resampling.NEAREST)
    shown.thumbnail((side, side), Image.Resampling.LANCZOS)
    return shown


def _draw(tiles: Sequence[Image.Image], *, side: int) -> tuple[str, int, int]:
    """The sheet's data URI, its columns and its rows."""
    columns = ceil(sqrt(len(tiles)))
    rows = ceil(len(tiles) / columns)
    sheet = Image.new("RGBA", (columns * side, rows * side))
    for place, tile in enumerate(tiles):
        shown = tile
        if max(tile.size) > side:
            shown = tile.copy()
            shown.thumbnail((side, side), Image.Resampling.LANCZOS)
        row, column = divmod(place, columns)
        middle = (column * side + (side - shown.width) // 2, row * side + (side - shown.height) // 2)
        sheet.paste(shown, middle)
    return _uri(sheet, "WEBP", quality=_QUALITY, method=3), columns, rows


def lines_of(levels: Sequence[bytes]) -> str:
    """Codes as one picture, a line of pixels each, as a data URI; empty where there are none."""
    width = max(map(len, levels), default=0)
    if not width:
        return ""
    sheet = Image.new("P", (width, len(levels)))
    sheet.putpalette([part for level in range(256) for part in _shade(level)])
    sheet.putdata([value for line in levels for value in line.ljust(width, b"\0")])
    return _uri(sheet, "PNG", optimize=True)


def _shade(level: int) -> tuple[int, ...]:
    first, second = (_OFF, _HALF) if level < 128 else (_HALF, _ON)
    share = (level % 128) / 127
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))


def _uri(image: Image.Image, kind: str, **options: int) -> str:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return f"data:image/{kind.lower()};base64,{b64encode(stream.getvalue()).decode()}"
