"""Examples whose classes are permuted among them: what the random-label control is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from polylens.digests import digest
from polylens.errors import UsageError
from polylens.records import Examples, Shown
from polylens.streams import Streams

if TYPE_CHECKING:
    import torch


def shuffled_targets(examples: Examples, streams: Streams) -> Examples:
    """Examples with their classes permuted among them; every class keeps its count.

    Args:
        examples: stay as they are.
        streams: randomness of the permutation (stream `shuffled targets`).

    Raises:
        UsageError: the dataset has no classes.
    """
    return _ShuffledTargets(examples, streams)


class _ShuffledTargets(Examples):
    def __init__(self, examples: Examples, streams: Streams) -> None:
        if examples.targets is None:
            raise UsageError("classes cannot be shuffled: the dataset has none")
        self._examples = examples
        self.ids = examples.ids
        self.classes = examples.classes
        self.skipped = examples.skipped
        self.targets = streams.generator("shuffled targets").permutation(examples.targets)
        self.fingerprint = digest({"examples": examples.fingerprint, "targets": self.targets.tolist()})

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        return self._examples.batch(indices)

    def context(self, index: int, position: int = 0) -> Shown:
        return self._examples.context(index, position)
