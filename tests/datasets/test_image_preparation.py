from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from polylens import imports
from polylens.datasets._images import THUMBNAIL, UnreadableImageError, decode, prepare, thumbnail
from polylens.models.torchvision import Torchvision
from polylens.records import ImageFormat


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, format=kind, **options)
    return stream.getvalue()


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    generator = np.random.default_rng(width * 1000 + height)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "efficientnet_v2_s", "swin_t", "vit_h_14"])
@pytest.mark.parametrize("size", [(500, 375), (33, 401), (224, 224), (256, 256), (97, 64), (640, 230)])
def test_images_are_prepared_exactly_as_torchvisions_transforms_do(name: str, size: tuple[int, int]) -> None:
    chosen = Torchvision(name=name, weights="DEFAULT")
    preset = imports.torchvision().models.get_model_weights(name)["DEFAULT"].transforms()
    image = noise(*size)
    assert torch.equal(torch.from_numpy(prepare(image, chosen.input_format())), preset(image))


def test_grey_images_are_prepared_as_torchvision_does_with_three_equal_channels() -> None:
    preset = imports.torchvision().models.get_model_weights("resnet18").DEFAULT.transforms()
    image = noise(300, 411, "L")
    found = prepare(image, Torchvision(name="resnet18", weights="DEFAULT").input_format())
    assert torch.equal(torch.from_numpy(found), preset(image.convert("RGB")))


@settings(deadline=None, max_examples=40)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    resize=st.integers(1, 30),
    crop=st.tuples(*[st.integers(1, 45)] * 2),
)
def test_odd_sizes_crops_and_padding_are_torchvisions(
    width: int, height: int, resize: int, crop: tuple[int, int]
) -> None:
    functional = imports.torchvision().transforms.functional
    image = noise(width, height)
    expected = functional.center_crop(functional.resize(image, [resize]), list(crop))
    found = prepare(image, ImageFormat(channels=3, resize=resize, crop=crop))
    assert torch.equal(torch.from_numpy(found), functional.to_tensor(expected))


def test_colour_becomes_grey_before_it_is_resized() -> None:
    image = noise(20, 30)
    found = prepare(image, ImageFormat(channels=1, resize=10, crop=(10, 10)))
    expected = np.asarray(image.convert("L").resize((10, 15), Image.Resampling.BILINEAR))[2:12] / np.float32(
        255
    )
    assert np.array_equal(found[0], expected)


def test_a_vector_is_the_image_row_by_row() -> None:
    image = noise(3, 2)
    assert np.array_equal(
        prepare(image, ImageFormat(channels=3, flatten=True)), prepare(image, ImageFormat(channels=3)).ravel()
    )


def test_16_bit_grey_keeps_its_depth() -> None:
    pixels = np.array([[0, 1], [40000, 65535]], dtype=np.uint16)
    found = prepare(decode(encoded(Image.fromarray(pixels))), ImageFormat(channels=1))
    assert np.array_equal(found[0], pixels.astype(np.float32) / np.float32(65535))


def test_transparency_is_laid_on_white() -> None:
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], dtype=np.uint8)
    assert np.asarray(decode(encoded(Image.fromarray(pixels)))).tolist() == [[[10, 20, 30], [255, 255, 255]]]
    grey = np.array([[[7, 255], [7, 0]]], dtype=np.uint8)
    assert np.asarray(decode(encoded(Image.fromarray(grey)))).tolist() == [[[7] * 3, [255] * 3]]


def test_palettes_become_their_colours_and_their_transparency_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 0, 0, 100])
    image.putpixel((1, 0), 1)
    assert np.asarray(decode(encoded(image))).tolist() == [[[200, 0, 0], [0, 0, 100]]]
    shown = np.asarray(decode(encoded(image, transparency=1))).tolist()
    assert shown == [[[200, 0, 0], [255, 255, 255]]]


def test_photographs_are_turned_upright_by_their_orientation() -> None:
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    upright = decode(encoded(image, "PNG", exif=exif))
    assert upright.size == (2, 4)
    assert upright.getpixel((1, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("image", "kind", "mode"),
    [
        (noise(5, 4, "L"), "PNG", "L"),
        (noise(5, 4, "CMYK"), "JPEG", "RGB"),
        (noise(5, 4).convert("1"), "PNG", "L"),
        (noise(5, 4), "GIF", "RGB"),
        (noise(5, 4), "WEBP", "RGB"),
        (noise(5, 4), "TIFF", "RGB"),
        (noise(5, 4), "BMP", "RGB"),
        (noise(5, 4), "PPM", "RGB"),
    ],
)
def test_every_kind_of_file_becomes_grey_or_colour(image: Image.Image, kind: str, mode: str) -> None:
    found = decode(encoded(image, kind))
    assert found.mode == mode
    assert found.size == (5, 4)


def test_of_an_animation_the_first_picture_is_taken() -> None:
    red, blue = Image.new("RGB", (2, 2), (255, 0, 0)), Image.new("RGB", (2, 2), (0, 0, 255))
    assert decode(encoded(red, "GIF", save_all=True, append_images=[blue])).getpixel((0, 0)) == (255, 0, 0)


def test_floating_point_images_are_taken_only_where_their_range_is_known() -> None:
    known = Image.fromarray(np.array([[0, 0.25]], dtype=np.float32))
    assert prepare(decode(encoded(known, "TIFF")), ImageFormat(channels=1)).tolist() == [[[0, 0.25]]]
    unknown = Image.fromarray(np.array([[0, 300.0]], dtype=np.float32))
    with pytest.raises(UnreadableImageError, match="range"):
        decode(encoded(unknown, "TIFF"))


def broken_files() -> dict[str, bytes]:
    jpeg, png = encoded(noise(64, 64), "JPEG"), encoded(noise(64, 64))
    return {
        "empty": b"",
        "text": b"<html>404 not found</html>",
        "half a jpeg": jpeg[: len(jpeg) // 2],
        "half a png": png[: len(png) // 2],
        "a flipped byte": png[:200] + bytes([png[200] ^ 255]) + png[201:],
        "only a header": png[:24],
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
    }


@pytest.mark.parametrize("name", broken_files())
def test_broken_files_are_refused_with_a_reason(name: str) -> None:
    with pytest.raises(UnreadableImageError, match=r"damaged: .|not an image of a known format"):
        decode(broken_files()[name])


def test_thumbnails_are_bounded_and_do_not_change_the_image() -> None:
    image = noise(640, 320)
    shown = Image.open(BytesIO(thumbnail(image)))
    assert shown.size == (THUMBNAIL, THUMBNAIL // 2)
    assert image.size == (640, 320)
    assert Image.open(BytesIO(thumbnail(noise(90, 90), enlarge=True))).size == (90, 90)
    assert Image.open(BytesIO(thumbnail(noise(8, 4), enlarge=True))).size == (160, 80)
