"""Pictures inside the page: small, bounded in sum, never fetched from elsewhere."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from PIL import Image, UnidentifiedImageError

_SIDE = 144
"""Pixels: examples are shown at half of it on a sharp screen."""
_COLOURS = (246, 247, 249)


@dataclass(frozen=True)
class Embedded:
    """A picture as a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int

    @property
    def coarse(self) -> bool:
        """Whether its pixels are to be seen as squares instead of being blurred."""
        return max(self.width, self.height) < 64


class Pictures:
    """Hands out data URIs until the page is full; a picture that was already read is not read again."""

    def __init__(self, *, most_bytes: int) -> None:
        self._left = most_bytes
        self._seen: dict[str, Embedded | None] = {}
        self.left_out = 0
        """Pictures that found no room."""
        self.unreadable = 0
        """Pictures that are none."""

    def figure(self, png: bytes) -> Embedded | None:
        """A figure, as it is; None where it cannot be read or finds no room."""
        return self._embed(png, shrink=False)

    def example(self, png: bytes) -> Embedded | None:
        """An example, made small where it is large; None where it cannot be read or finds no room."""
        return self._embed(png, shrink=True)

    def _embed(self, png: bytes, *, shrink: bool) -> Embedded | None:
        key = f"{shrink} {sha256(png).hexdigest()}"
        if key not in self._seen:
            self._seen[key] = _read(png, shrink=shrink)
        picture = self._seen[key]
        if picture is None:
            self.unreadable += 1
            return None
        if len(picture.uri) > self._left:
            self.left_out += 1
            return None
        self._left -= len(picture.uri)
        return picture


def _read(png: bytes, *, shrink: bool) -> Embedded | None:
    try:
        with Image.open(io.BytesIO(png)) as image:
            image.load()
            kind = (image.format or "").lower()
            if shrink and (max(image.size) > _SIDE or kind != "png"):
                return _small(image)
            width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if kind != "png":
        return None
    return Embedded(f"data:image/png;base64,{b64encode(png).decode()}", width, height)


def _small(image: Image.Image) -> Embedded:
    opaque = Image.new("RGB", image.size, _COLOURS)
    mask = image.convert("RGBA").getchannel("A") if image.mode in ("RGBA", "LA", "P", "PA") else None
    opaque.paste(image.convert("RGB"), mask=mask)
    opaque.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    opaque.save(stream, "JPEG", quality=86)
    return Embedded(f"data:image/jpeg;base64,{b64encode(stream.getvalue()).decode()}", *opaque.size)
