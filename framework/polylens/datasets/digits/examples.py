"""Digits as examples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from functools import cache as remembered
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float32, Int64
from PIL import Image

from polylens.datasets._formats import for_images
from polylens.datasets._images import PREPARATION, prepare, thumbnail
from polylens.datasets._order import stratified_order
from polylens.digests import digest
from polylens.errors import DataError
from polylens.records import Context, Examples, ImageFormat, InputFormat
from polylens.streams import Streams

if TYPE_CHECKING:
    import torch

    from polylens.datasets.digits import Digits


def digits_examples(
    dataset: Digits,
    input_format: InputFormat,
    *,
    streams: Streams,
    limit: int | None,
    split: Literal["train"] | None,
) -> Examples:
    """The digits as inputs in `input_format`, in their original order."""
    image_format = for_images(input_format, dataset=dataset.kind())
    images, targets = _digits()
    order = stratified_order(targets, generator=streams.generator("split"))
    # As the decimal fraction that was written: 0.1 of 30 is 3, which floats would round up to 4.
    n_test = ceil(len(order) * Fraction(str(dataset.test_fraction)))
    parts = {"test": order[:n_test], "train": order[n_test:], "all": order}
    chosen = np.sort(parts[split or dataset.split][:limit])
    return _DigitExamples(images[chosen], targets[chosen], index=chosen, image_format=image_format)


class _DigitExamples(Examples):
    def __init__(
        self,
        images: Float32[np.ndarray, "examples 8 8"],
        targets: Int64[np.ndarray, "examples"],
        *,
        index: Int64[np.ndarray, "examples"],
        image_format: ImageFormat,
    ) -> None:
        self._images = images
        self._index = index
        self._format = image_format
        self.ids = tuple(f"digits/{number:04d}" for number in index)
        self.targets = targets
        self.classes = tuple(map(str, range(10)))
        self.fingerprint = digest(
            {
                "pixels": hashlib.sha256(images.tobytes()).hexdigest(),
                "ids": list(self.ids),
                "targets": targets.tolist(),
                "format": image_format.to_plain(),
                "preparation": PREPARATION,
            }
        )

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        import torch  # a run that finds everything stored asks for no batch

        inputs = [prepare(Image.fromarray(self._images[index]), self._format) for index in indices]
        return torch.from_numpy(np.stack(inputs))

    def context(self, index: int, position: int = 0) -> Context:
        assert self.targets is not None
        return Context(
            title=f"{self.classes[self.targets[index]]} · {self.ids[index]}",
            png=_ink_on_paper(int(self._index[index])),
        )


@remembered
def _ink_on_paper(number: int) -> bytes:
    """What people see of one of all digits: some hundred bytes that take a millisecond to compress."""
    images, _ = _digits()
    return thumbnail(Image.fromarray(1 - images[number]), enlarge=True)


@remembered
def _digits() -> tuple[Float32[np.ndarray, "1797 8 8"], Int64[np.ndarray, "1797"]]:
    # The file that scikit-learn's `load_digits` reads: a line an image, 64 pixels and its class. To import
    # scikit-learn takes longer than everything else that a run does which finds all stages stored.
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise DataError(
            "the digits lie in scikit-learn, which is not installed", hint="pip install scikit-learn"
        )
    table = np.loadtxt(Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return (table[:, :-1].reshape(-1, 8, 8) / 16).astype(np.float32), table[:, -1].astype(np.int64)
