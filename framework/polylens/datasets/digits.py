"""scikit-learn's handwritten digits, which need no download."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from functools import cache as remembered
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from polylens.datasets import Dataset
from polylens.digests import digest
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Context, Examples, ImageFormat, InputFormat
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    import torch
    from jaxtyping import Float32, Int64


class Digits(Dataset):
    """1,797 images of handwritten digits, 8 x 8 pixels in 17 shades of grey, divided by 16.

    Test and train part are split by class with the seed; a limit takes the first of the same stratified
    order.

    Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI; scikit-learn's
        copy.
    """

    carries: ClassVar[frozenset[str] | None] = frozenset({"classes"})

    split: Literal["test", "train", "all"] = "test"
    """Which part is looked at."""
    test_fraction: float = Field(default=0.4, gt=0, lt=1)
    """Share of the images in the test part, rounded up."""

    def open(
        self,
        input_format: InputFormat,
        *,
        streams: Streams,
        root: Path,
        limit: int | None = None,
        split: Literal["train"] | None = None,
        cache: Path | None = None,
        progress: Progress | None = None,
    ) -> Examples:
        """The digits as inputs in `input_format`, in their original order."""
        import numpy as np

        from polylens.datasets._formats import for_images
        from polylens.datasets._order import stratified_order

        image_format = for_images(input_format, dataset=self.kind())
        images, targets = _digits()
        order = stratified_order(targets, generator=streams.generator("split"))
        # As the decimal fraction that was written: 0.1 of 30 is 3, which floats would round up to 4.
        n_test = ceil(len(order) * Fraction(str(self.test_fraction)))
        parts = {"test": order[:n_test], "train": order[n_test:], "all": order}
        chosen = np.sort(parts[split or self.split][:limit])
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
        from polylens.datasets._images import PREPARATION

        self._images = images
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
        import numpy as np
        import torch
        from PIL import Image

        from polylens.datasets._images import prepare

        inputs = [prepare(Image.fromarray(self._images[index]), self._format) for index in indices]
        return torch.from_numpy(np.stack(inputs))

    def context(self, index: int, position: int = 0) -> Context:
        from PIL import Image

        from polylens.datasets._images import thumbnail

        ink_on_paper = Image.fromarray(1 - self._images[index])
        assert self.targets is not None
        return Context(
            title=f"{self.classes[self.targets[index]]} · {self.ids[index]}",
            png=thumbnail(ink_on_paper, enlarge=True),
        )


@remembered
def _digits() -> tuple[Float32[np.ndarray, "1797 8 8"], Int64[np.ndarray, "1797"]]:
    import numpy as np

    # The file that scikit-learn's `load_digits` reads: a line an image, 64 pixels and its class. To import
    # scikit-learn takes longer than everything else that a run does which finds all stages stored.
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise DataError(
            "the digits lie in scikit-learn, which is not installed", hint="pip install scikit-learn"
        )
    table = np.loadtxt(Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return (table[:, :-1].reshape(-1, 8, 8) / 16).astype(np.float32), table[:, -1].astype(np.int64)
