"""Rows drawn at random, one of each example first."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64


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
