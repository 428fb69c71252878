"""What the scores of a partition are when classes are shuffled over examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import NOISE, count_clusters
from polylens.statistics.blocks import Blocks
from polylens.statistics.expected_information import expected_mutual_information
from polylens.statistics.partitions import adjusted_mutual_information, adjusted_rand, contingency
from polylens.streams import Streams


@dataclass(frozen=True)
class ClassNull:
    """Scores of the same clusters (same sizes, noise kept) with classes shuffled over whole examples."""

    purity: Float64[np.ndarray, "permutations"]
    information: Float64[np.ndarray, "permutations"]
    """`information_agreement`."""
    rand: Float64[np.ndarray, "permutations"]
    """`pair_agreement`."""
    cluster_purity: Float64[np.ndarray, "permutations clusters"]

    @property
    def best_cluster_purity(self) -> Float64[np.ndarray, "permutations"]:
        """The highest purity of a single cluster in each permutation: the family-wise null."""
        return np.asarray(self.cluster_purity.max(1, initial=0.0))


def class_null(
    labels: Int64[np.ndarray, "rows"],
    targets: Int64[np.ndarray, "rows"],
    *,
    blocks: Blocks,
    permutations: int,
    streams: Streams,
) -> ClassNull:
    """The scores under block permutations: all rows of one example get another example's class."""
    shuffles = (
        blocks.shuffled_classes(targets, streams.generator("classes", number))
        for number in range(permutations)
    )
    return _null(labels, shuffles, permutations)


def row_null(
    labels: Int64[np.ndarray, "rows"],
    targets: Int64[np.ndarray, "rows"],
    *,
    blocks: Blocks,
    permutations: int,
    streams: Streams,
    after_each: Callable[[], object] = lambda: None,
) -> ClassNull:
    """The scores with the classes of whole examples laid over other rows.

    It takes the place of `class_null` where rows of one example differ in class, as tokens do. `after_each`
    is called after each permutation.
    """
    shuffles = (
        targets[blocks.relaid_rows(streams.generator("documents", number))] for number in range(permutations)
    )
    return _null(labels, shuffles, permutations, after_each)


def _null(
    labels: Int64[np.ndarray, "rows"],
    shuffles: Iterable[Int64[np.ndarray, "rows"]],
    permutations: int,
    after_each: Callable[[], object] = lambda: None,
) -> ClassNull:
    n_clusters = count_clusters(labels)
    clustered = np.flatnonzero(labels != NOISE)
    own, covered = labels[clustered], len(clustered) / max(len(labels), 1)
    purity, information, rand = (np.zeros(permutations) for _ in range(3))
    cluster_purity = np.zeros((permutations, n_clusters))
    margins: Int64[np.ndarray, "classes"] | None = None
    expected: float | None = None
    for number, shuffled in enumerate(shuffles if len(clustered) else ()):
        counts = contingency(own, shuffled[clustered])
        if margins is None or not np.array_equal(margins, counts.sum(0)):
            # The expected information depends on the margins only: all the same where nothing is noise.
            margins, expected = counts.sum(0), expected_mutual_information(counts)
        information[number] = adjusted_mutual_information(counts, expected=expected) * covered
        rand[number] = adjusted_rand(counts) * covered
        cluster_purity[number] = counts.max(1) / counts.sum(1)
        purity[number] = counts.max(1).sum() / counts.sum()
        after_each()
    return ClassNull(purity=purity, information=information, rand=rand, cluster_purity=cluster_purity)
