"""How many examples, and how long, the keys of the datasets promise, over combinations of their siblings."""

from __future__ import annotations

import itertools
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.text_models import tiny_tokenizer

from polylens.datasets import Dataset, Opening
from polylens.datasets.digits import Digits
from polylens.datasets.image_folder import ImageFolder
from polylens.datasets.text_files import TextFiles
from polylens.datasets.text_table import TextTable
from polylens.errors import DataError
from polylens.records import Examples, ImageFormat, InputFormat, TextFormat
from polylens.streams import Streams

UNUSABLE = 3


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts as files and as a table, three of thirteen unusable; 12 + 6 + 3 images, three of them broken."""
    folder = tmp_path_factory.mktemp("data")
    texts = [f"The cat sat on mat {number}. " * (1 + number % 4) for number in range(10)] + [""] * UNUSABLE
    (folder / "texts").mkdir()
    for number, text in enumerate(texts):
        (folder / f"texts/{number:02d}.txt").write_text(text)
    (folder / "table.csv").write_text("id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts)))
    for name, count in (("cat", 12), ("dog", 6), ("owl", 3)):
        (folder / f"images/{name}").mkdir(parents=True)
        for number in range(count):
            path = folder / f"images/{name}/{number:02d}.png"
            Image.new("L", (4, 4), 10 * number).save(path)
            if number == 1:
                path.write_bytes(path.read_bytes()[:40])
    return folder


@pytest.fixture(scope="module")
def text_format(tmp_path_factory: pytest.TempPathFactory) -> TextFormat:
    folder = tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return TextFormat(tokenizer=str(folder), tokenizer_digest="tiny", context=32, special=(0,))


def opened(dataset: Dataset, form: InputFormat, root: Path, **options: Any) -> Examples:
    return dataset.open(form, Opening(Streams(0), root, **options))


@pytest.mark.parametrize("kind", [TextFiles, TextTable])
def test_texts_are_as_many_and_as_long_as_asked_for(kind: Any, text_format: TextFormat, root: Path) -> None:
    place = {"root": "texts"} if kind is TextFiles else {"file": "table.csv"}
    for documents, packing, context, limit in itertools.product(
        (None, 4, 12), ("one_document", "packed"), (None, 7), (None, 3, 99)
    ):
        dataset = kind(**place, documents=documents, packing=packing, context=context)
        examples = opened(dataset, text_format, root, limit=limit)
        lengths, most = examples.lengths(), context or 32
        assert lengths is not None
        assert (lengths == most).all() if packing == "packed" else (lengths <= most).all()
        assert limit is None or len(examples) <= limit
        if packing == "one_document":
            usable = min(documents or 10, 10)
            assert len(examples) == (usable if limit is None else min(limit, usable))
            taken = set(examples.ids) | {item.example_id for item in examples.skipped}
            assert len(taken) == len(examples.ids) + len(examples.skipped)
            assert limit == 3 or documents == 4 or len(taken) == 13
    with pytest.raises(DataError, match="13 documents, fewer than the 14 asked for"):
        opened(kind(**place, documents=14), text_format, root)


def test_images_are_as_many_as_asked_for_and_every_other_one_is_named(root: Path) -> None:
    form = ImageFormat(channels=1)
    for examples, draw, fraction, limit in itertools.product(
        (None, 5, 7), ("stratified", "uniform"), (None, 0.5), (None, 4)
    ):
        dataset = ImageFolder(root="images", examples=examples, draw=draw, train_fraction=fraction)
        found = opened(dataset, form, root, limit=limit)
        pool = 21 if fraction is None else 21 - round(21 * fraction)
        wanted = min(count for count in (examples, limit, pool) if count is not None)
        assert len(found) == wanted or (wanted == pool and len(found) + len(found.skipped) == pool)
        assert {item.example_id[4:] for item in found.skipped} <= {"01.png"}
        if fraction is not None:
            train = opened(dataset, form, root, split="train", limit=limit)
            assert not set(train.ids) & set(found.ids)
        if draw == "stratified" and fraction is None and not found.skipped:
            counts = np.bincount(found.targets, minlength=3)  # type: ignore[arg-type]
            assert np.abs(counts - wanted * np.array([12, 6, 3]) / 21).max() <= 1


@pytest.mark.parametrize("fraction", [0.001, 0.1, 1 / 3, 0.4, 0.55, 0.999])
def test_the_test_part_of_the_digits_is_its_share_rounded_up(fraction: float) -> None:
    form = ImageFormat(channels=1, resize=8, crop=(8, 8), flatten=True)
    parts = {
        split: opened(Digits(split=split, test_fraction=fraction), form, Path())
        for split in ("test", "train")
    }
    assert len(parts["test"]) == ceil(round(1797 * fraction, 9))
    assert len(parts["test"]) + len(parts["train"]) == 1797
    assert not set(parts["test"].ids) & set(parts["train"].ids)
