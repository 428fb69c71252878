"""Rows drawn at random: one of each example first, or sets as large as clusters."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from polylens.records import NOISE, Partition
from polylens.streams import Streams


def draw_rows(
    rows: Int64[np.ndarray, "some"],
    block: Int64[np.ndarray, "rows"],
    count: int,
    generator: np.random.Generator,
) -> Int64[np.ndarray, "chosen"]:
    """So many of the rows at most, drawn at random: one of each example before a second of any.

    Args:
        rows: to draw from.
        block: the example of each row of all.
        count: how many at most.
        generator: draws them.
    """
    shuffled = generator.permutation(rows)
    _, example = np.unique(block[shuffled], return_inverse=True)
    # How many rows of its example come before each row.
    order = np.argsort(example, kind="stable")
    starts = np.searchsorted(example[order], example[order])
    turn = np.empty(len(shuffled), np.int64)
    turn[order] = np.arange(len(shuffled)) - starts
    return np.asarray(shuffled[np.argsort(turn, kind="stable")][:count], dtype=np.int64)


def random_partition(partition: Partition, streams: Streams) -> Partition:
    """Sets of rows drawn at random, as many and as large as the clusters."""
    generator = streams.generator("random rows")
    labels = np.asarray(partition.labels)[generator.permutation(len(partition.labels))]
    exemplars = [generator.choice(np.flatnonzero(labels == each)) for each in range(partition.n_clusters)]
    return Partition(
        labels=labels,
        strength=(labels != NOISE).astype(np.float32),
        exemplars=np.array(exemplars, dtype=np.int64),
        method="rows at random",
        space=partition.space,
    )
