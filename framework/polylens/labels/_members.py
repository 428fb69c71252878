"""Which members of a cluster are shown to those who label it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64

from polylens.statistics import draw_rows


def draw_members(
    members: Int64[np.ndarray, "members"],
    strength: Float32[np.ndarray, "rows"],
    block: Int64[np.ndarray, "rows"],
    count: int,
    generator: np.random.Generator,
) -> Int64[np.ndarray, "chosen"]:
    """So many members at most: half of them among the firmest, the rest of all; first one of each example.

    Args:
        members: rows to draw from.
        strength: how firmly each row belongs to its cluster.
        block: the example of each row.
        count: how many at most.
        generator: draws them.
    """
    central = members[np.argsort(-strength[members], kind="stable")]
    # From twice as many of the firmest as are shown, so that draws differ.
    firm = draw_rows(central[:count], block, count // 2, generator)
    rest = draw_rows(np.setdiff1d(members, firm), block, count - len(firm), generator)
    return np.concatenate([firm, rest])
