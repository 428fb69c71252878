"""One way of numbering clusters, whatever found them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, Integer

from polylens.records import NOISE


def by_falling_size(labels: Integer[np.ndarray, "rows"]) -> Int64[np.ndarray, "rows"]:
    """The labels renumbered 0, 1, ... by falling cluster size; among equals the one with the first row leads.

    >>> by_falling_size(np.array([5, -1, 2, 2, 2, 5, 9])).tolist()
    [1, -1, 0, 0, 0, 1, 2]
    """
    found, first, inverse, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    order = [index for index in np.lexsort((first, -sizes)) if found[index] >= 0]
    renumbered = np.full(len(found), NOISE, dtype=np.int64)
    renumbered[order] = np.arange(len(order))
    return renumbered[inverse]
