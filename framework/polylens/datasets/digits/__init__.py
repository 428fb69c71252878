"""scikit-learn's handwritten digits, which need no download."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from polylens.datasets import Dataset, Opening
from polylens.records import Examples, InputFormat


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

    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The digits as inputs in `input_format`, in their original order."""
        from polylens.datasets.digits.examples import digits_examples

        return digits_examples(
            self, input_format, streams=opening.streams, limit=opening.limit, split=opening.split
        )
