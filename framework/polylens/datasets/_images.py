"""How an image becomes a network's input, and what people are shown of it: all of it in this one place.

Pixels are resized by Pillow before they become floats, exactly as torchvision's own transforms of published
weights do, so that inputs are equal to theirs to the last bit.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageOps, UnidentifiedImageError

from polylens.datasets._image_formats import formats_of
from polylens.records import ImageFormat

PREPARATION = 1
"""Raised when the same file and format give other numbers; part of every dataset's fingerprint."""
THUMBNAIL = 160
"""Longest side in pixels of what people are shown."""
_MOST_PIXELS = 100_000_000


class UnreadableImageError(ValueError):
    """A file is no image that can be used; the message says why."""


def decode(content: bytes, *, ending: str = "") -> Image.Image:
    """An image upright and in one of three modes: `L` (grey), `RGB`, or `F` (grey in [0, 1], from 16 bits).

    Transparent images are laid on white; of animations and files of several pages the first picture is taken,
    of icons the largest; colour tables and CMYK become RGB, and colours of 16 bits those of 8.

    Args:
        content: of a file.
        ending: of its name; some formats are known by it alone.

    Raises:
        UnreadableImageError: the bytes are no whole image of a known format, or one of more than 100
        million pixels.
    """
    try:
        with Image.open(BytesIO(content), formats=formats_of(ending)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise UnreadableImageError(f"{image.width} x {image.height} pixels are too many")
            image.load()
            upright: Image.Image = ImageOps.exif_transpose(image)
            return _in_known_mode(upright)
    except UnreadableImageError:
        raise
    except UnidentifiedImageError:
        raise UnreadableImageError("not an image of a known format") from None
    except Exception as error:
        # Pillow's readers raise OSError, SyntaxError, struct.error and more on damaged files.
        raise UnreadableImageError(f"damaged: {error}") from None


def prepare(image: Image.Image, image_format: ImageFormat) -> Float32[np.ndarray, "..."]:
    """The network's input: resized, cropped about the centre, scaled to [0, 1], normalised.

    Returns:
        Channels x height x width, or a vector where the format says so.

    >>> prepare(Image.new("L", (500, 375)), ImageFormat(channels=3, resize=256, crop=(224, 224))).shape
    (3, 224, 224)
    """
    if image_format.channels == 1 and image.mode == "RGB":
        image = image.convert("L")
    size = scaled_size(image.size, image_format)
    if size != image.size:
        image = image.resize(size, Image.Resampling[image_format.interpolation.upper()])
    pixels = np.asarray(image)
    if image_format.crop is not None:
        pixels = _centre(pixels, *image_format.crop)
    values = pixels.astype(np.float32)
    if image.mode != "F":
        values /= np.float32(255)
    values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    # Grey images keep one channel until here: resizing three equal ones gives the same numbers.
    values = (
        np.repeat(values, image_format.channels, axis=0) if len(values) != image_format.channels else values
    )
    if image_format.mean:
        values = values - np.array(image_format.mean, dtype=np.float32)[:, None, None]
    if image_format.std:
        values = values / np.array(image_format.std, dtype=np.float32)[:, None, None]
    return values.reshape(-1) if image_format.flatten else np.ascontiguousarray(values)


def scaled_size(size: tuple[int, int], image_format: ImageFormat) -> tuple[int, int]:
    """Width and height after resizing, before the crop; the longer side is rounded down, as torchvision does.

    >>> scaled_size((500, 375), ImageFormat(resize=256))
    (341, 256)
    """
    if image_format.resize is None:
        return size
    width, height = size
    long = int(image_format.resize * max(size) / min(size))
    return (image_format.resize, long) if width <= height else (long, image_format.resize)


def thumbnail(image: Image.Image, *, enlarge: bool = False) -> bytes:
    """A PNG of at most 160 pixels a side; tiny images can be enlarged by whole pixels, unblurred."""
    shown = Image.fromarray(_to_bytes(np.asarray(image))) if image.mode == "F" else image
    if enlarge and max(shown.size) * 2 <= THUMBNAIL:
        factor = THUMBNAIL // max(shown.size)
        shown = shown.resize((shown.width * factor, shown.height * factor), Image.Resampling.NEAREST)
    elif max(shown.size) > THUMBNAIL:
        shown = shown.copy()
        shown.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    stream = BytesIO()
    shown.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _in_known_mode(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _unit_range(np.asarray(image), most=65535)
    if image.mode == "F":
        return _unit_range(np.asarray(image), most=1)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, coloured).convert("RGB")
    if image.mode == "L":
        return image.copy()
    return image.convert("L" if image.mode == "1" else "RGB")


def _unit_range(pixels: np.ndarray, *, most: int) -> Image.Image:
    """Grey pixels of another depth as floats in [0, 1]."""
    if not (pixels.min() >= 0 and pixels.max() <= most):
        raise UnreadableImageError(f"grey values outside of 0 to {most}: their range cannot be known")
    return Image.fromarray(pixels.astype(np.float32) / np.float32(most))


def _to_bytes(values: Float32[np.ndarray, "height width"]) -> np.ndarray:
    shades: np.ndarray = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return shades


def _centre(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """The centre crop; what is too small is padded with zeros on both sides, after it by one more if odd."""
    rows, columns = max(height - pixels.shape[0], 0), max(width - pixels.shape[1], 0)
    if rows or columns:
        margins = [(rows // 2, -(-rows // 2)), (columns // 2, -(-columns // 2)), (0, 0)]
        pixels = np.pad(pixels, margins[: pixels.ndim])
    # Halves are rounded to the even pixel, as torchvision does.
    top, left = round((pixels.shape[0] - height) / 2), round((pixels.shape[1] - width) / 2)
    return pixels[top : top + height, left : left + width]
