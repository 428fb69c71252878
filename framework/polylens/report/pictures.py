"""Figures inside the page: bounded in sum, never fetched from elsewhere."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError


@dataclass(frozen=True)
class Embedded:
    """A picture as a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int


class Pictures:
    """Hands out data URIs until the page is full."""

    def __init__(self, *, most_bytes: int) -> None:
        self.left = most_bytes
        """Characters of data URIs that still have room."""
        self.left_out = 0
        """Pictures that found no room."""
        self.unreadable = 0
        """Pictures that are none."""

    def figure(self, png: bytes) -> Embedded | None:
        """A figure, as it is; None where it cannot be read or finds no room."""
        picture = _read(png)
        if picture is None:
            self.unreadable += 1
            return None
        if len(picture.uri) > self.left:
            self.left_out += 1
            return None
        self.left -= len(picture.uri)
        return picture


def _read(png: bytes) -> Embedded | None:
    try:
        with Image.open(io.BytesIO(png)) as image:
            image.load()
            width, height = image.size
            kind = image.format
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if kind != "PNG":
        return None
    return Embedded(f"data:image/png;base64,{b64encode(png).decode()}", width, height)
