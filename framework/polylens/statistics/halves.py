"""Two halves of the examples, and what each cluster holds in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64


@dataclass(frozen=True)
class Half:
    """The examples of one half: how many rows each has, and how many in each cluster."""

    examples: Int64[np.ndarray, "half"]
    """Index of each example's block."""
    members: Int64[np.ndarray, "half clusters"]
    sizes: Int64[np.ndarray, "half"]

    @staticmethod
    def of(
        members: Int64[np.ndarray, "blocks clusters"],
        sizes: Int64[np.ndarray, "blocks"],
        chosen: Bool[np.ndarray, "blocks"],
    ) -> Half:
        """The chosen examples."""
        examples = np.flatnonzero(chosen).astype(np.int64)
        return Half(examples=examples, members=members[examples], sizes=sizes[examples])

    def resampled(self, generator: np.random.Generator) -> Half:
        """The same half with its examples drawn with replacement (each counts as often as it is drawn)."""
        drawn = generator.integers(len(self.examples), size=len(self.examples))
        times = np.bincount(drawn, minlength=len(self.examples))
        return Half(examples=self.examples, members=self.members * times[:, None], sizes=self.sizes * times)

    def by_class(
        self, classes: Int64[np.ndarray, "blocks"], *, n_classes: int
    ) -> Int64[np.ndarray, "clusters classes"]:
        """Rows of each cluster that are of each class."""
        counts = np.zeros((n_classes, self.members.shape[1]), dtype=np.int64)
        np.add.at(counts, classes[self.examples], self.members)
        return np.ascontiguousarray(counts.T)

    def base(self, classes: Int64[np.ndarray, "blocks"], *, n_classes: int) -> Float64[np.ndarray, "classes"]:
        """Share of each class among all rows of the half, clustered or not."""
        rows = np.bincount(classes[self.examples], self.sizes, minlength=n_classes)
        return np.asarray(rows / max(rows.sum(), 1))

    def moments(
        self, classes: Int64[np.ndarray, "blocks"], *, n_classes: int
    ) -> tuple[Float64[np.ndarray, "clusters classes"], Float64[np.ndarray, "clusters classes"]]:
        """Mean and standard deviation of `by_class` when the classes of the half's examples are exchanged.

        Exact where classes are exchanged among all of them: a sum over examples drawn without replacement.
        """
        total = max(len(self.examples), 1)
        share = np.bincount(classes[self.examples], minlength=n_classes) / total
        rows = self.members.sum(0)
        uneven = np.maximum((self.members**2).sum(0) - rows**2 / total, 0.0)
        variance = uneven[:, None] * (share * (1 - share) * total / max(total - 1, 1))[None]
        return rows[:, None] * share[None], np.sqrt(variance)

    def standardised(
        self,
        counts: Int64[np.ndarray, "clusters classes"],
        classes: Int64[np.ndarray, "blocks"],
        *,
        n_classes: int,
    ) -> Float64[np.ndarray, "clusters classes"]:
        """How many standard deviations each count is above what shuffled classes give."""
        mean, deviation = self.moments(classes, n_classes=n_classes)
        above = np.divide(counts - mean, deviation, out=np.zeros_like(mean), where=deviation > 0)
        return np.asarray(above)


def split_examples(
    classes: Int64[np.ndarray, "blocks"], *, holdout: float, generator: np.random.Generator
) -> Bool[np.ndarray, "blocks"]:
    """Which examples are held out: the same share of each class, drawn at random."""
    held_out = np.zeros(len(classes), dtype=bool)
    for label in np.unique(classes):
        members = generator.permutation(np.flatnonzero(classes == label))
        # The odd example of a class goes to either half with the right chance.
        exact = holdout * len(members)
        count = int(exact) + int(generator.random() < exact - int(exact))
        held_out[members[:count]] = True
    return held_out
