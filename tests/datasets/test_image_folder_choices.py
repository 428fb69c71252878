"""Which images a folder gives: every combination of depth, classes, cap, count, draw and training share."""

from __future__ import annotations

import os
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from polylens.datasets import Opening
from polylens.datasets.image_folder import ImageFolder
from polylens.errors import DataError
from polylens.records import Examples, ImageFormat
from polylens.streams import Streams

SMALL = ImageFormat(channels=3, resize=8, crop=(8, 8))
TREE = {
    "animals": 2,
    "animals/birds": 7,
    "animals/birds/cartoon": 3,
    "animals/fish": 4,
    "food/fruit": 6,
    "food/fruit/citrus": 3,
    "symbols/letters/small": 9,
    "symbols/letters/large": 8,
    "symbols/signs": 2,
}
BROKEN = ("animals/birds/0.png", "animals/fish/3.png", "symbols/letters/small/4.png", "symbols/signs/1.png")
STAMPS = Path("/usr/share/tuxpaint/stamps")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images in folders of one to three levels; four are damaged."""
    place = tmp_path_factory.mktemp("tree")
    shades = np.random.default_rng(0)
    for folder, count in TREE.items():
        (place / "images" / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = shades.integers(0, 256, (9, 11, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / "images" / folder / f"{number}.png")
    for name in BROKEN:
        path = place / "images" / name
        path.write_bytes(path.read_bytes()[:60])
    (place / "images/animals/birds/list.txt").write_text("no image")
    (place / "images/food/nuts/dry").mkdir(parents=True)
    return place


FILES = tuple(f"{folder}/{number}.png" for folder, count in TREE.items() for number in range(count))


def opened(root: Path, *, seed: int = 0, **options: Any) -> Examples:
    given = {name: options.pop(name) for name in ("limit", "split") if name in options}
    dataset = ImageFolder.model_validate({"root": "images", **options})
    return dataset.open(SMALL, Opening(Streams(seed), root, cache=root / "cache", **given))


def class_at(name: str, depth: int) -> str:
    return "/".join(name.split("/")[:-1][:depth])


CHOICES: dict[int, list[tuple[str, ...] | None]] = {
    1: [None, ("food", "animals")],
    2: [None, ("symbols/letters", "animals/birds", "food/fruit")],
    3: [None, ("symbols/letters/small",)],
}
COMBINATIONS = [
    (depth, classes, *rest)
    for depth in (1, 2, 3)
    for classes in CHOICES[depth]
    for rest in (
        *product((None, 1, 3, 100), (None, 4, 21), ("stratified", "uniform"), (None,), (None, 3)),
        *product((None, 1, 3, 100), (None,), ("stratified", "uniform"), (0.5,), (None, 3)),
    )
]


def test_every_combination_gives_what_its_words_say(root: Path) -> None:
    whole = [name for name in FILES if name not in BROKEN]
    for seed, (depth, classes, cap, count, draw, share, limit) in enumerate(COMBINATIONS):
        deep = [name for name in FILES if name.count("/") >= depth]
        there = sorted({class_at(name, depth) for name in deep})
        taken = sorted(classes) if classes is not None else there
        usable = [name for name in deep if class_at(name, depth) in taken]
        most = cap or len(FILES)
        options = {"class_depth": depth, "classes": classes, "per_class": cap, "draw": draw}
        options |= {"examples": count, "train_fraction": share, "limit": limit}
        available = sum(min(most, n) for n in Counter(class_at(name, depth) for name in usable).values())
        if count is not None and count > available:
            with pytest.raises(DataError, match=f"holds {available} images.*fewer than the {count}"):
                opened(root, seed=seed, **options)
            continue
        found = opened(root, seed=seed, **options)
        drawn = Counter(found.classes[target] for target in found.targets)
        assert list(found.classes) == taken
        assert all(
            class_at(name, depth) == found.classes[t]
            for name, t in zip(found.ids, found.targets, strict=True)
        )
        assert max(drawn.values()) <= most
        assert set(found.ids) <= set(whole)
        assert list(found.ids) == sorted(set(found.ids))
        assert found.ids == opened(root, seed=seed, **options).ids
        if share is None:
            sizes = Counter(class_at(name, depth) for name in usable if name in whole)
            expected = sum(min(most, n) for n in sizes.values())
            assert len(found) == min(n for n in (count, limit, expected) if n is not None), options
        else:
            train = opened(root, seed=seed, split="train", **options)
            assert not set(train.ids) & set(found.ids)
            assert max(Counter(train.targets.tolist()).values()) <= most  # type: ignore[union-attr]
        if limit is not None:
            assert set(found.ids) <= set(opened(root, seed=seed, **{**options, "limit": None}).ids)
        left_out = {item.example_id for item in found.skipped}
        for name in set(FILES) - set(found.ids):
            named = name in left_out or any(name.startswith(item) for item in left_out if item.endswith("/"))
            assert named or name in usable, "neither drawn, nor named, nor one that might have been drawn"


def test_a_cap_that_no_class_reaches_changes_no_draw(root: Path) -> None:
    for draw in ("stratified", "uniform"):
        for seed in range(3):
            plain = opened(root, seed=seed, examples=12, draw=draw)
            assert opened(root, seed=seed, examples=12, draw=draw, per_class=50).ids == plain.ids


def test_which_images_a_cap_takes_is_the_seeds_and_a_broken_one_is_replaced_from_its_class(
    root: Path,
) -> None:
    found = {opened(root, seed=seed, class_depth=2, per_class=2).ids for seed in range(6)}
    assert len(found) > 3
    for seed in range(12):
        examples = opened(root, seed=seed, class_depth=2, classes=["animals/fish"], per_class=3)
        assert len(examples) == 3  # the three that are whole, whichever are tried first


def test_whatever_is_passed_over_is_named_with_its_reason(root: Path) -> None:
    found = opened(root, class_depth=2, classes=["animals/birds", "food/fruit"])
    reasons = {item.example_id: item.reason for item in found.skipped}
    damaged = reasons.pop("animals/birds/0.png")
    assert damaged.startswith("damaged")
    assert reasons == {
        "animals/0.png": "lies less deep than the class folders",
        "animals/1.png": "lies less deep than the class folders",
        "animals/birds/list.txt": "no ending of an image that is read (.txt)",
        "animals/fish/": "none of the classes that were chosen (4 images)",
        "food/nuts/": "a class folder without an image",
        "symbols/letters/": "none of the classes that were chosen (17 images)",
        "symbols/signs/": "none of the classes that were chosen (2 images)",
    }


def test_a_class_that_is_not_there_is_told_the_nearest(root: Path) -> None:
    with pytest.raises(
        DataError, match=r"has no class 'animals/bird'; did you mean 'animals/birds'\?"
    ) as error:
        opened(root, class_depth=2, classes=["animals/bird"])
    assert "food/fruit" in str(error.value.hint)
    with pytest.raises(DataError, match="has no class 'animals/birds'"):
        opened(root, classes=["animals/birds"])


def test_classes_are_named_once_and_not_none_of_them(root: Path) -> None:
    with pytest.raises(ValidationError, match="'food' stands twice"):
        opened(root, classes=["food", "food"])
    with pytest.raises(ValidationError, match="classes"):
        opened(root, classes=[])


def test_folders_deeper_than_all_images_say_how_many_lie_higher(root: Path) -> None:
    with pytest.raises(DataError, match="44 images, but none in a class folder, which lies 4 folders deep"):
        opened(root, class_depth=4)


def test_a_missing_folder_says_how_its_images_are_had(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image folder") as error:
        opened(tmp_path, obtain="sudo apt-get install some-images")
    assert error.value.hint == "sudo apt-get install some-images"
    other = ImageFolder.model_validate({"root": "images", "obtain": "by hand"})
    assert other.identity() == ImageFolder.model_validate({"root": "images"}).identity()


@pytest.fixture
def stamps() -> Path:
    """The stamps of Tux Paint. Missing, it skips; with `CI=true` it fails."""
    if not STAMPS.is_dir():
        message = "the stamps are missing: apt-get install tuxpaint-stamps-default"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    return STAMPS


def test_the_stamps_have_classes_at_several_depths(stamps: Path) -> None:
    entry = {"root": str(stamps), "per_class": 3}
    coarse = ImageFolder.model_validate(entry).open(SMALL, Opening(Streams(0), Path()))
    assert {"animals", "food", "vehicles"} <= set(coarse.classes)
    fine = ImageFolder.model_validate({**entry, "class_depth": 2, "classes": ["animals/birds", "food/fruit"]})
    examples = fine.open(SMALL, Opening(Streams(0), Path()))
    assert Counter(examples.targets.tolist()) == {0: 3, 1: 3}  # type: ignore[union-attr]
    passed = {item.example_id: item.reason for item in examples.skipped}
    assert passed["animals/mammals/"].startswith("none of the classes that were chosen")
    assert any(reason == "lies less deep than the class folders" for reason in passed.values())
    assert any(reason.endswith("(.ogg)") for reason in passed.values())
