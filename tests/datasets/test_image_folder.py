from __future__ import annotations

import os
import pickle
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from polylens.datasets import Opening
from polylens.datasets.image_folder import ImageFolder, checks
from polylens.datasets.image_folder.listing import list_images
from polylens.errors import DataError, UsageError
from polylens.records import Examples, ImageFormat
from polylens.streams import Streams

SMALL = ImageFormat(channels=3, resize=8, crop=(8, 8))


def draw_image(path: Path, seed: int, size: tuple[int, int] = (12, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Twelve cats, six dogs (two of them in a folder below) and three owls."""
    for index in range(12):
        draw_image(tmp_path / f"images/cat/{index:02d}.png", index)
    for index in range(4):
        draw_image(tmp_path / f"images/dog/{index:02d}.PNG", 100 + index)
    for index in range(2):
        draw_image(tmp_path / f"images/dog/puppies/{index:02d}.bmp", 200 + index)
    for index in range(3):
        draw_image(tmp_path / f"images/owl/{index:02d}.png", 300 + index)
    return tmp_path


def opened(root: Path, *, seed: int = 0, image_format: ImageFormat = SMALL, **options: Any) -> Examples:
    arguments = {name: options.pop(name) for name in ("limit", "split", "cache") if name in options}
    dataset = ImageFolder.model_validate({"root": "images", **options})
    return dataset.open(image_format, Opening(Streams(seed), root, **arguments))


def counts(examples: Examples) -> dict[str, int]:
    return {name: int((examples.targets == index).sum()) for index, name in enumerate(examples.classes)}


def test_the_class_is_the_first_folder_and_ids_are_sorted_paths(root: Path) -> None:
    examples = opened(root)
    assert examples.classes == ("cat", "dog", "owl")
    assert counts(examples) == {"cat": 12, "dog": 6, "owl": 3}
    assert list(examples.ids) == sorted(examples.ids)
    assert "dog/puppies/01.bmp" in examples.ids
    assert examples.skipped == ()


def test_examples_are_drawn_in_the_classes_proportions(root: Path) -> None:
    # 7 of 21: a third of each class
    assert counts(opened(root, examples=7)) == {"cat": 4, "dog": 2, "owl": 1}


def test_the_draw_is_the_seeds_and_never_the_first_of_a_folder(root: Path) -> None:
    draws = {opened(root, seed=seed, examples=7).ids for seed in range(8)}
    assert len(draws) > 4
    assert opened(root, seed=3, examples=7).ids == opened(root, seed=3, examples=7).ids


def test_a_uniform_draw_takes_images_whatever_their_class(root: Path) -> None:
    found = {tuple(counts(opened(root, seed=seed, examples=7, draw="uniform")).values()) for seed in range(8)}
    assert len(found) > 1


def test_a_limit_takes_a_part_of_the_draw(root: Path) -> None:
    limited = opened(root, examples=14, limit=7)
    assert set(limited.ids) < set(opened(root, examples=14).ids)
    assert counts(limited) == {"cat": 4, "dog": 2, "owl": 1}
    assert len(opened(root, limit=500)) == 21


def test_training_images_are_never_drawn_otherwise(root: Path) -> None:
    train = opened(root, train_fraction=2 / 3, split="train")
    rest = opened(root, train_fraction=2 / 3)
    assert counts(train) == {"cat": 8, "dog": 4, "owl": 2}
    assert counts(rest) == {"cat": 4, "dog": 2, "owl": 1}
    assert not set(train.ids) & set(rest.ids)


def test_asking_for_training_images_where_none_are_kept_says_how_to_keep_some(root: Path) -> None:
    with pytest.raises(UsageError, match="train_fraction"):
        opened(root, split="train")


def test_batches_do_not_depend_on_order_or_company(root: Path) -> None:
    examples = opened(root)
    together = examples.batch([20, 0, 0])
    assert together.shape == (3, 3, 8, 8)
    assert together.dtype == torch.float32
    for row, index in zip(together, [20, 0, 0], strict=True):
        assert torch.equal(row, examples.batch([index])[0])


def break_image(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def test_a_broken_image_is_named_and_another_takes_its_place(root: Path) -> None:
    before = opened(root, examples=7)
    victim = before.ids[2]
    break_image(root / "images" / victim)
    after = opened(root, examples=7)
    assert len(after) == 7
    assert [skipped.example_id for skipped in after.skipped] == [victim]
    assert after.skipped[0].reason.startswith("damaged")
    assert set(before.ids) - {victim} < set(after.ids)
    assert torch.isfinite(after.batch(range(7))).all()


def test_all_images_means_all_that_are_whole(root: Path) -> None:
    for name in ("cat/00.png", "owl/02.png"):
        break_image(root / "images" / name)
    (root / "images/dog/gone.png").symlink_to(root / "nowhere.png")
    examples = opened(root)
    assert len(examples) == 19
    assert sorted(skipped.example_id for skipped in examples.skipped) == [
        "cat/00.png",
        "dog/gone.png",
        "owl/02.png",
    ]
    assert not {"cat/00.png", "dog/gone.png", "owl/02.png"} & set(examples.ids)


def test_a_folder_of_broken_images_alone_is_an_error_that_names_one(tmp_path: Path) -> None:
    for index in range(3):
        draw_image(tmp_path / f"images/cat/{index}.png", index)
        break_image(tmp_path / f"images/cat/{index}.png")
    with pytest.raises(DataError, match=r"none of 3 images .* can be read; cat/.\.png: damaged"):
        opened(tmp_path)


def test_a_sliver_that_would_grow_beyond_memory_is_skipped(root: Path) -> None:
    draw_image(root / "images/owl/sliver.png", 1, size=(20_000, 1))
    examples = opened(root, image_format=ImageFormat(channels=3, resize=256, crop=(8, 8)))
    assert [skipped.example_id for skipped in examples.skipped] == ["owl/sliver.png"]
    assert "20000 x 1" in examples.skipped[0].reason


def test_a_missing_folder_is_named_with_the_layout_that_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        opened(tmp_path)
    assert str(tmp_path / "images") in str(error.value)
    assert "ROOT/CLASS/IMAGE.png" in str(error.value)


def test_an_empty_folder_and_one_without_class_folders_say_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "images/cat").mkdir(parents=True)
    (tmp_path / "images/cat/readme.txt").write_text("no image")
    with pytest.raises(DataError, match="holds no image") as error:
        opened(tmp_path)
    assert ".jpeg" in str(error.value)
    draw_image(tmp_path / "images/a.png", 0)
    with pytest.raises(DataError, match="1 images, but none in a class folder"):
        opened(tmp_path)


def test_images_beside_the_class_folders_are_skipped_and_named(root: Path) -> None:
    draw_image(root / "images/loose.png", 0)
    examples = opened(root)
    assert len(examples) == 21
    assert [(item.example_id, item.reason) for item in examples.skipped] == [
        ("loose.png", "lies outside of the class folders")
    ]


def test_whatever_else_lies_in_the_folder_is_counted_and_named(root: Path) -> None:
    for name in ("cat/list.txt", "cat/photo.heic", "cat/no-ending", "dog/figure.eps", "readme.md"):
        (root / "images" / name).write_bytes(b"no image")
    (root / "images/wolf/young").mkdir(parents=True)
    os.mkfifo(root / "images/cat/pipe.png")
    examples = opened(root)
    assert len(examples) == 21
    assert examples.classes == ("cat", "dog", "owl")
    assert {item.example_id: item.reason for item in examples.skipped} == {
        "cat/list.txt": "no ending of an image that is read (.txt)",
        "cat/photo.heic": "no ending of an image that is read (.heic)",
        "cat/no-ending": "no ending of an image",
        "cat/pipe.png": "neither a file nor a folder",
        "dog/figure.eps": "no ending of an image that is read (.eps)",
        "readme.md": "no ending of an image that is read (.md)",
        "wolf/": "a class folder without an image",
    }


def test_class_folders_that_only_unicode_tells_apart_are_refused_and_capitals_make_classes(
    root: Path,
) -> None:
    draw_image(root / "images/Cat/0.png", 0)
    assert opened(root).classes == ("Cat", "cat", "dog", "owl")
    draw_image(root / "images/caf\u00e9/0.png", 0)
    draw_image(root / "images/cafe\u0301/0.png", 0)
    with pytest.raises(DataError, match=r"two class folders .* 'cafe\\u0301' and 'caf\\xe9'"):
        opened(root)


def pixels_of(tmp_path: Path, name: str) -> np.ndarray:
    """What is made of one image of class `a`: three channels in [0, 1]."""
    found = opened(tmp_path, image_format=ImageFormat(channels=3))
    return found.batch([found.ids.index(f"a/{name}")])[0].numpy()


WRITTEN = {
    ".avif": "AVIF",
    ".BLP": "BLP",
    ".bmp": "BMP",
    ".dds": "DDS",
    ".dib": "DIB",
    ".gif": "GIF",
    ".ico": "ICO",
    ".jfif": "JPEG",
    ".JPE": "JPEG",
    ".jpg": "PNG",
    ".jp2": "JPEG2000",
    ".pcx": "PCX",
    ".apng": "PNG",
    ".pnm": "PPM",
    ".qoi": "QOI",
    ".rgb": "SGI",
    ".TGA": "TGA",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
"""Formats that Pillow writes as well, by one of their endings, or another's."""


def test_every_ending_that_pillow_reads_is_read(tmp_path: Path) -> None:
    (tmp_path / "images/a").mkdir(parents=True)
    shades = np.zeros((16, 16, 3), dtype=np.uint8)
    shades[:8], shades[8:] = (255, 0, 0), (0, 0, 255)
    image = Image.fromarray(shades)
    Image.init()
    available = {ending: kind for ending, kind in WRITTEN.items() if kind in Image.SAVE}
    for ending, kind in available.items():
        image.convert("P" if kind == "BLP" else "RGB").save(tmp_path / f"images/a/x{ending}", format=kind)
    examples = opened(tmp_path, image_format=ImageFormat(channels=3))
    assert sorted(examples.ids) == sorted(f"a/x{ending}" for ending in available)
    assert examples.skipped == ()
    for index, name in enumerate(examples.ids):
        found = examples.batch([index])[0].numpy().transpose(1, 2, 0) * 255
        assert np.abs(found - shades).mean() < 12, name


def test_every_ending_is_one_of_a_reader_that_starts_no_program() -> None:
    from polylens.datasets._image_formats import formats_of, image_endings

    known = Image.registered_extensions()
    shut = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "IM", "IPTC", "MPEG", "MPO", "PALM", "PDF"}
    assert set(known) - set(image_endings()) == {end for end, kind in known.items() if kind in shut} - {
        ".mpo"
    }
    assert not shut & set(formats_of(".eps"))
    assert "TGA" in formats_of(".TGA")
    assert "TGA" not in formats_of(".png")


def test_the_first_picture_counts_and_transparency_lies_on_white(tmp_path: Path) -> None:
    (tmp_path / "images/a").mkdir(parents=True)
    red, blue = (Image.new("RGB", (8, 8), shade) for shade in ("red", "blue"))
    for name, kind in (("gif", "GIF"), ("png", "PNG"), ("tif", "TIFF"), ("webp", "WEBP")):
        red.save(tmp_path / f"images/a/x.{name}", format=kind, save_all=True, append_images=[blue])
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear.save(tmp_path / "images/a/clear.png")
    for name in ("x.gif", "x.png", "x.tif", "x.webp"):
        assert pixels_of(tmp_path, name).mean((1, 2)) == pytest.approx([1, 0, 0], abs=0.02)
    assert pixels_of(tmp_path, "clear.png").min() == 1


def test_asking_for_more_images_than_there_are_is_an_error(root: Path) -> None:
    with pytest.raises(DataError, match="holds 21 images, fewer than the 22 asked for"):
        opened(root, examples=22)


def test_hidden_files_and_folders_are_passed_over_and_named(root: Path) -> None:
    draw_image(root / "images/cat/.hidden.png", 0)
    (root / "images/cat/._00.png").write_bytes(b"resource fork")
    draw_image(root / "images/.thumbnails/00.png", 0)
    examples = opened(root)
    assert len(examples) == 21
    assert [(item.example_id, item.reason) for item in examples.skipped] == [
        (".thumbnails/", "a hidden folder of 1 file"),
        ("cat/._00.png", "hidden"),
        ("cat/.hidden.png", "hidden"),
    ]


def test_links_are_followed_but_not_in_a_circle(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    draw_image(elsewhere / "00.png", 7)
    (root / "images/wolf").symlink_to(elsewhere)
    (root / "images/owl/again").symlink_to(root / "images")
    examples = opened(root)
    assert "wolf/00.png" in examples.ids
    assert len(examples) == 22
    assert not any(".." in name for name in examples.ids)
    assert [(item.example_id, item.reason) for item in examples.skipped] == [
        ("owl/again/", "a link to a folder that it lies in")
    ]


def test_a_name_that_is_not_utf8_is_skipped_and_printable(root: Path) -> None:
    content = (root / "images/cat/00.png").read_bytes()
    Path(os.fsdecode(bytes(root / "images/cat") + b"/caf\xe9.png")).write_bytes(content)
    (skipped,) = opened(root).skipped
    assert skipped.example_id == "cat/caf\\xe9.png"
    assert skipped.example_id.encode()


def test_the_fingerprint_follows_content_names_format_and_draw_and_not_the_place(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = opened(root).fingerprint
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "images").symlink_to(root / "images")
    assert opened(elsewhere).fingerprint == first
    assert opened(root, image_format=ImageFormat(channels=3, resize=9, crop=(8, 8))).fingerprint != first
    assert opened(root, examples=20).fingerprint != first
    draw_image(root / "images/cat/00.png", 999)
    changed = opened(root).fingerprint
    assert changed != first
    (root / "images/cat/00.png").rename(root / "images/cat/aa.png")
    assert opened(root).fingerprint not in (first, changed)


def test_a_file_that_changes_while_in_use_is_an_error(root: Path) -> None:
    examples = opened(root)
    draw_image(root / "images" / examples.ids[0], 999)
    with pytest.raises(DataError, match="changed while it was in use"):
        examples.batch([0])
    (root / "images" / examples.ids[1]).unlink()
    with pytest.raises(DataError, match="cannot be read any more"):
        examples.batch([1])


def test_images_of_different_sizes_need_a_format_that_brings_them_to_one(root: Path) -> None:
    draw_image(root / "images/owl/zz.png", 1, size=(30, 30))
    examples = opened(root, image_format=ImageFormat(channels=3))
    with pytest.raises(DataError, match=r"cat/00.png, owl/zz.png: 3 x 10 x 12 and 3 x 30 x 30"):
        examples.batch([0, len(examples) - 1])


def count_checks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    checked: list[Path] = []
    original = checks._check

    def check(path: Path, *, stamp: str) -> checks.Check:
        checked.append(path)
        return original(path, stamp=stamp)

    monkeypatch.setattr(checks, "_check", check)
    return checked


def test_checks_are_remembered_until_a_file_changes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = root / "cache"
    break_image(root / "images/cat/03.png")
    checked = count_checks(monkeypatch)
    first = opened(root, cache=cache)
    assert len(checked) == 21
    checked.clear()
    assert opened(root, cache=cache).fingerprint == first.fingerprint
    assert opened(root, cache=cache).skipped == first.skipped
    assert checked == []
    draw_image(root / "images/cat/03.png", 3)
    assert len(opened(root, cache=cache)) == 21
    assert [path.name for path in checked] == ["03.png"]


def test_another_image_of_the_same_size_and_time_is_another_image(root: Path) -> None:
    cache, file = root / "cache", root / "images/cat/00.png"
    before, status = opened(root, cache=cache), file.stat()
    content = bytearray(file.read_bytes())
    content[-5] ^= 1  # in the last chunk's checksum, which readers pass over
    while file.stat().st_ctime_ns == status.st_ctime_ns:  # the system's clock for files goes in steps
        file.write_bytes(content)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert opened(root, cache=cache).fingerprint != before.fingerprint


def test_only_drawn_images_are_decoded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = count_checks(monkeypatch)
    opened(root, examples=5)
    assert len(checked) == 5


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 0, "checks": {}}', b'{"version": 1, "checks": {"a": 1}}']
)
def test_a_damaged_cache_is_made_anew(root: Path, content: bytes) -> None:
    cache = root / "cache"
    first = opened(root, cache=cache)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(content)
    assert opened(root, cache=cache).fingerprint == first.fingerprint
    assert file.read_bytes() == whole
    assert [path.name for path in cache.iterdir()] == [file.name]


def test_people_are_shown_a_bounded_picture_with_its_class(root: Path) -> None:
    draw_image(root / "images/owl/zz.png", 1, size=(400, 200))
    examples = opened(root)
    context = examples.context(len(examples) - 1)
    assert context.title == "owl · zz.png"
    assert Image.open(BytesIO(context.png)).size == (160, 80)


def test_examples_can_be_sent_to_another_process(root: Path) -> None:
    examples = opened(root)
    assert torch.equal(pickle.loads(pickle.dumps(examples)).batch([0, 4]), examples.batch([0, 4]))


def test_a_folder_that_is_not_there_is_told_with_the_one_that_was_probably_meant(tmp_path: Path) -> None:
    (tmp_path / "photos" / "shapes").mkdir(parents=True)
    meant = re.escape(f"did you mean '{tmp_path / 'photos' / 'shapes'}'?")
    with pytest.raises(DataError, match=f"there is nothing; {meant}"):
        list_images(tmp_path / "photos" / "shapse")
    # Of a folder whose parent is missing, too, that is what is near.
    with pytest.raises(DataError, match=re.escape(f"did you mean '{tmp_path / 'photos'}'?")):
        list_images(tmp_path / "photo" / "shapes")
    with pytest.raises(DataError, match=r"there is nothing\n"):
        list_images(tmp_path / "photos" / "quite-another")
