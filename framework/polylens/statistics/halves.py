"""Two halves of the examples, and what each cluster holds in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.statistics.blocks import Blocks


@dataclass(frozen=True)
class Half:
    """The examples of one half: how many rows each has, and how many in which cluster.

    Most examples have rows in few clusters, so only the pairs of an example and a cluster that share rows are
    kept: memory grows with the rows, whatever the number of clusters.
    """

    examples: Int64[np.ndarray, "half"]
    """Index of each example's block."""
    sizes: Int64[np.ndarray, "half"]
    n_clusters: int
    index: Int64[np.ndarray, "shared"]
    """Index into `examples` of each pair of an example and a cluster that share rows."""
    cluster: Int64[np.ndarray, "shared"]
    count: Int64[np.ndarray, "shared"]
    """How many rows each such pair shares."""

    @staticmethod
    def of(
        labels: Int64[np.ndarray, "rows"],
        blocks: Blocks,
        chosen: Bool[np.ndarray, "blocks"],
        *,
        n_clusters: int,
    ) -> Half:
        """The half of the rows that are of the chosen examples.

        Args:
            labels: cluster of each row; negative for none.
            blocks: the examples of the rows.
            chosen: which examples are of this half.
            n_clusters: how many clusters there are.
        """
        examples = np.flatnonzero(chosen).astype(np.int64)
        kept = (labels >= 0) & chosen[blocks.block]
        index_of = np.cumsum(chosen) - 1
        key = index_of[blocks.block[kept]] * max(n_clusters, 1) + labels[kept]
        shared, count = np.unique(key, return_counts=True)
        index, cluster = np.divmod(shared.astype(np.int64), max(n_clusters, 1))
        return Half(examples, blocks.sizes[examples], n_clusters, index, cluster, count.astype(np.int64))

    @property
    def rows(self) -> Int64[np.ndarray, "clusters"]:
        """Rows of each cluster."""
        return self._sum_by_cluster(self.count)

    def by_class(
        self, classes: Int64[np.ndarray, "blocks"], *, n_classes: int
    ) -> Int64[np.ndarray, "clusters classes"]:
        """Rows of each cluster that are of each class."""
        cell = self.cluster * n_classes + classes[self.examples][self.index]
        counts = np.bincount(cell, self.count, minlength=self.n_clusters * n_classes)
        return counts.reshape(self.n_clusters, n_classes).astype(np.int64)

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
        rows = self.rows
        uneven = np.maximum(self._sum_by_cluster(self.count**2) - rows**2 / total, 0.0)
        variance = uneven[:, None] * (share * (1 - share) * total / max(total - 1, 1))[None]
        return rows[:, None] * share[None], np.sqrt(variance)

    def standardise(
        self,
        counts: Int64[np.ndarray, "clusters classes"],
        classes: Int64[np.ndarray, "blocks"],
        *,
        n_classes: int,
    ) -> Float64[np.ndarray, "clusters classes"]:
        """How many standard deviations each of `counts` is above its mean under exchanged classes."""
        mean, deviation = self.moments(classes, n_classes=n_classes)
        above = np.divide(counts - mean, deviation, out=np.zeros_like(mean), where=deviation > 0)
        return np.asarray(above)

    def _sum_by_cluster(self, values: Int64[np.ndarray, "shared"]) -> Int64[np.ndarray, "clusters"]:
        # Sums of whole numbers below 2 ** 53 are exact in double precision.
        return np.bincount(self.cluster, values, minlength=self.n_clusters).astype(np.int64)


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
