"""A partition scored against classes, or against whatever else is one word a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import Number, Partition
from polylens.statistics import partition_number

_Labels = Int64[np.ndarray, "rows"]
Score = Callable[[_Labels, _Labels], float | None]
"""A score of some rows by the numbers of their clusters and of their classes; None where it has none."""


def class_numbers(
    partition: Partition,
    classes: Int64[np.ndarray, "rows"],
    scores: Mapping[str, tuple[Score, Float64[np.ndarray, "permutations"]]],
    *,
    null_is: str,
) -> dict[str, Number]:
    """Scores of a partition against classes, with stability ranges and levels by chance, as far as defined.

    Args:
        partition: of the rows.
        classes: the number of each row's class, or token.
        scores: by the number's name the score, and what it is for each shuffle.
        null_is: what was shuffled.
    """

    def of_kept(score: Score) -> Score:
        """The score by the numbers of clusters and of the rows that they are of."""
        return lambda labels, kept: score(labels, classes[kept])

    return defined(
        {
            name: partition_number(partition, of_kept(score), null=null, null_is=null_is)
            for name, (score, null) in scores.items()
        }
    )


def defined(numbers: Mapping[str, Number | None]) -> dict[str, Number]:
    """The numbers that there are."""
    return {name: number for name, number in numbers.items() if number is not None}


def lack_of_clusters(
    partition: Partition, names: Sequence[str], *, note: str
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Where a partition has no clusters: what is noted, and which numbers are not defined and why."""
    if partition.n_clusters:
        return (), {}
    return (f"No cluster was found: {note}.",), dict.fromkeys(names, "no clusters")
