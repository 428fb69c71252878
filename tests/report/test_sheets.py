"""Many small pictures as one."""

from __future__ import annotations

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from polylens.report.sheets import Sheet, lines_of, sheet_of


def png(colour: tuple[int, int, int], size: tuple[int, int] = (8, 8)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def image_of(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(uri.partition(",")[2]))).convert("RGBA")


def seen(sheet: Sheet, picture: bytes) -> tuple[int, ...]:
    """The colour in the middle of a picture's tile, found as a browser finds it."""
    tile, image = sheet.tile(picture), image_of(sheet.uri)
    assert tile is not None
    wide, high = image.width // sheet.columns, image.height // sheet.rows
    left, top = tile.x * (image.width - wide), tile.y * (image.height - high)
    pixel = image.getpixel((int(left + wide / 2), int(top + high / 2)))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12])
def test_every_picture_is_shown_at_its_place_and_equal_ones_once(count: int) -> None:
    colours = [(20 * number, 255 - 20 * number, 128) for number in range(count)]
    sheet = sheet_of([png(colour) for colour in (*colours, *colours)], most_bytes=10**6)
    assert len(sheet.places) == count
    for colour in colours:
        assert np.abs(np.array(seen(sheet, png(colour))[:3]) - colour).max() < 12


def test_a_picture_that_is_no_square_stands_in_the_middle() -> None:
    wide = png((255, 0, 0), (80, 20))
    image = image_of(sheet_of([wide], most_bytes=10**6).uri)
    alpha = np.asarray(image)[:, :, 3]
    assert alpha[0].max() == 0
    assert alpha[len(alpha) // 2].min() == 255


def test_pictures_become_smaller_and_then_fewer_until_they_fit() -> None:
    noise = [
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (100, 100, 3), dtype=np.uint8))
        for seed in range(9)
    ]
    pngs = []
    for image in noise:
        stream = io.BytesIO()
        image.save(stream, "PNG")
        pngs.append(stream.getvalue())
    whole = sheet_of(pngs, most_bytes=10**7)
    smaller = sheet_of(pngs, most_bytes=len(whole.uri) // 3)
    fewer = sheet_of(pngs, most_bytes=len(whole.uri) // 20)
    assert image_of(smaller.uri).width < image_of(whole.uri).width
    assert (smaller.left_out, len(smaller.places)) == (0, 9)
    assert fewer.left_out + len(fewer.places) == 9
    assert fewer.tile(pngs[0]) is not None
    assert fewer.tile(pngs[-1]) is None
    assert sheet_of(pngs, most_bytes=0).left_out == 9


def test_what_is_no_picture_is_counted() -> None:
    sheet = sheet_of([png((1, 2, 3)), b"no picture"], most_bytes=10**6)
    assert (sheet.unreadable, sheet.tile(b"no picture")) == (1, None)


def test_codes_are_lines_of_pixels_from_pale_to_blue() -> None:
    pixels = np.asarray(image_of(lines_of([b"\x00\xff", b"\xff\x00"])))[:, :, :3]
    off, on = [0xE6, 0xEB, 0xEF], [0x0B, 0x5F, 0xA5]
    assert pixels.tolist() == [[off, on], [on, off]]
    assert lines_of([]) == ""
