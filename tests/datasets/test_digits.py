from __future__ import annotations

import pickle
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from polylens.datasets import Opening, shuffled_targets
from polylens.datasets.digits import Digits
from polylens.errors import UsageError
from polylens.records import Examples, ImageFormat
from polylens.streams import Streams

VECTOR = ImageFormat(channels=1, resize=8, crop=(8, 8), flatten=True)


def opened(
    seed: int = 0, *, image_format: ImageFormat = VECTOR, limit: int | None = None, **fields: Any
) -> Examples:
    split = fields.pop("part", None)
    return Digits(**fields).open(image_format, Opening(Streams(seed), Path(), limit, split))


def test_inputs_are_exactly_the_pixels_divided_by_16() -> None:
    examples = opened(split="all")
    expected = torch.from_numpy(load_digits().data / 16).float()
    assert torch.equal(examples.batch(range(len(examples))), expected)
    assert examples.targets is not None
    assert examples.targets.tolist() == load_digits().target.tolist()


def test_test_and_train_part_share_nothing_and_make_up_the_whole() -> None:
    test, train, whole = opened(), opened(part="train"), opened(split="all")
    assert len(test) == 719
    assert len(train) == 1078
    assert sorted(test.ids + train.ids) == list(whole.ids)
    assert opened(split="train").ids == train.ids


@pytest.mark.parametrize("limit", [None, 10, 100, 333])
def test_every_part_holds_the_classes_in_their_proportions(limit: int | None) -> None:
    share = np.bincount(load_digits().target) / 1797
    for examples in (opened(limit=limit), opened(part="train", limit=limit)):
        counts = np.bincount(examples.targets, minlength=10)
        assert np.abs(counts - share * len(examples)).max() <= 1.5


def test_the_test_part_is_rounded_up_from_the_decimal_fraction() -> None:
    assert len(opened(test_fraction=0.1)) == 180  # 179.7


def test_a_limit_takes_a_part_of_what_a_larger_one_takes() -> None:
    small, large = opened(limit=30), opened(limit=31)
    assert set(small.ids) < set(large.ids)
    assert len(small) == 30


def test_ids_name_the_original_image_and_stand_in_order() -> None:
    examples = opened()
    assert list(examples.ids) == sorted(examples.ids)
    index = int(examples.ids[5].removeprefix("digits/"))
    assert torch.equal(examples.batch([5])[0], torch.from_numpy(load_digits().data[index] / 16).float())
    assert examples.targets is not None
    assert examples.targets[5] == load_digits().target[index]


def test_the_seed_alone_decides_the_split() -> None:
    assert opened(3).ids == opened(3).ids
    assert opened(3).fingerprint == opened(3).fingerprint
    assert opened(3).ids != opened(4).ids
    assert opened(3).fingerprint != opened(4).fingerprint


def test_batches_do_not_depend_on_order_or_company() -> None:
    examples = opened()
    together = examples.batch([7, 3, 3, 700])
    assert together.dtype == torch.float32
    for row, index in zip(together, [7, 3, 3, 700], strict=True):
        assert torch.equal(row, examples.batch([index])[0])


def test_the_format_changes_inputs_and_fingerprint() -> None:
    colour = ImageFormat(channels=3, resize=32, crop=(28, 28), mean=(0.5,) * 3, std=(0.25,) * 3)
    examples = opened(image_format=colour)
    batch = examples.batch([0, 1])
    assert batch.shape == (2, 3, 28, 28)
    assert torch.equal(batch[:, 0], batch[:, 2])
    assert batch.min() >= -2
    assert batch.max() <= 2
    assert examples.fingerprint != opened().fingerprint


def test_people_are_shown_a_crisp_enlarged_picture() -> None:
    examples = opened()
    context = examples.context(0)
    shown = np.asarray(Image.open(BytesIO(context.png)))
    assert shown.shape == (160, 160)
    blocks = shown.reshape(8, 20, 8, 20).swapaxes(1, 2).reshape(8, 8, 400)
    assert (blocks == blocks[:, :, :1]).all()
    ink = 1 - examples.batch([0]).reshape(8, 8).numpy()
    assert np.abs(blocks[:, :, 0] / 255 - ink).max() <= 0.5 / 255 + 1e-6
    assert examples.ids[0] in context.title


def test_examples_can_be_sent_to_another_process() -> None:
    examples = opened(limit=5)
    assert torch.equal(pickle.loads(pickle.dumps(examples)).batch([0, 4]), examples.batch([0, 4]))


def test_shuffled_targets_are_a_permutation_that_the_stream_decides() -> None:
    examples = opened()
    shuffled = shuffled_targets(examples, Streams(0))
    assert shuffled.targets is not None
    assert examples.targets is not None
    assert np.bincount(shuffled.targets).tolist() == np.bincount(examples.targets).tolist()
    # Ten classes: a tenth stays by chance, with a standard deviation of about sqrt(0.1 * 0.9 / 719) = 0.011.
    assert abs((shuffled.targets == examples.targets).mean() - 0.1) < 0.06
    assert shuffled.targets.tolist() == shuffled_targets(examples, Streams(0)).targets.tolist()  # type: ignore[union-attr]
    assert shuffled.targets.tolist() != shuffled_targets(examples, Streams(1)).targets.tolist()  # type: ignore[union-attr]


def test_shuffled_targets_change_the_fingerprint_and_not_the_inputs() -> None:
    examples = opened(limit=20)
    shuffled = shuffled_targets(examples, Streams(0))
    assert shuffled.fingerprint != examples.fingerprint
    assert shuffled.ids == examples.ids
    assert torch.equal(shuffled.batch([3, 1]), examples.batch([3, 1]))
    assert shuffled.context(2) == examples.context(2)


def test_examples_without_classes_cannot_be_shuffled() -> None:
    examples = opened(limit=3)
    examples.targets = None
    with pytest.raises(UsageError, match="has none"):
        shuffled_targets(examples, Streams(0))
