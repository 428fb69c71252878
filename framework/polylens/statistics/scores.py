"""Scores of a partition with the stability range that its subsamples give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import Number, Partition
from polylens.statistics.agreement import information_agreement
from polylens.statistics.blocks import Blocks
from polylens.statistics.resampling import stability_range
from polylens.streams import Streams

Score = Callable[[Int64[np.ndarray, "chosen"], Int64[np.ndarray, "chosen"]], float | None]
"""A score of the labels of some rows, given which rows they are; None where it is not defined."""


def partition_number(
    partition: Partition,
    score: Score,
    *,
    null: Float64[np.ndarray, "permutations"] | None = None,
    level: float | None = None,
    null_is: str = "",
) -> Number | None:
    """The score of a partition, its range over the partition's subsamples, and its level under chance.

    Args:
        partition: with its subsamples as alternatives.
        score: of labels and the rows they belong to.
        null: the score under shuffling.
        level: which quantile of the null is the chance level; its mean where None.
        null_is: what was shuffled, such as `200 shuffles of classes over examples`.

    Returns:
        None where the score is not defined.
    """
    value = score(partition.labels, np.arange(len(partition.labels), dtype=np.int64))
    if value is None:
        return None
    drawn = [item for item in partition.alternatives if item.name == "subsample"]
    spread = stability_range(score(item.labels, item.rows) for item in drawn)
    chance, chance_is = None, ""
    if null is not None and level is None:
        chance, chance_is = float(null.mean()), f"mean of {null_is}"
    elif null is not None and level is not None:
        chance, chance_is = float(np.quantile(null, level)), f"{level * 100:.0f} % of {null_is} stay below"
    return Number(
        value,
        spread.low,
        spread.high,
        spread.meaning,
        range_is=spread.range_is,
        chance=chance,
        chance_is=chance_is,
    )


def position_number(
    partition: Partition,
    position: Int64[np.ndarray, "rows"],
    *,
    blocks: Blocks,
    permutations: int,
    streams: Streams,
    after_each: Callable[[], object] = lambda: None,
) -> Number | None:
    """Agreement of clusters and position by information; None where all rows stand at one position.

    `after_each` is called after each permutation.
    """
    _, group = np.unique(position, return_inverse=True)
    group = group.astype(np.int64)
    if not len(group) or group.max() == 0:
        return None
    # Positions differ within an example, so that is where they are exchanged; with one row an
    # example they can only be exchanged between examples.
    within = bool((blocks.sizes > 1).any())
    null = []
    for number in range(permutations):
        generator = streams.generator("positions", number)
        order = blocks.rows_shuffled_within(generator) if within else blocks.moved_rows(generator)
        null.append(information_agreement(partition.labels, group[order]))
        after_each()
    where = "within examples" if within else "over examples"
    return partition_number(
        partition,
        lambda labels, kept: information_agreement(labels, group[kept]),
        null=np.array(null),
        null_is=f"{permutations} shuffles of positions {where}",
    )
