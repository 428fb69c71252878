"""How far two labellings agree where either may leave rows unlabelled, without a reward for leaving them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Int64

from polylens.records import NOISE
from polylens.statistics.partitions import adjusted_mutual_information, adjusted_rand, contingency


def information_agreement(first: Int64[np.ndarray, "rows"], second: Int64[np.ndarray, "rows"]) -> float:
    """Adjusted mutual information on the rows that both have in a cluster, times how many these are.

    How many: over the rows that either has in a cluster; beside classes, which all rows have, that is the
    coverage. So 1 is the same clusters, and 0 what labels exchanged among the rows of both give. Noise
    tells nothing: it makes no difference whether one class is all noise, or as many rows of every class are.
    Were noise a class of its own, a class that is all noise would be known as well as one that is a cluster.

    Args:
        first: labels of rows, -1 for none.
        second: of the same rows.

    >>> information_agreement(np.array([0, 0, 1, 1, -1]), np.array([0, 0, 1, 1, 2]))
    0.8
    """
    return _on_both(adjusted_mutual_information, first, second)


def pair_agreement(first: Int64[np.ndarray, "rows"], second: Int64[np.ndarray, "rows"]) -> float:
    """Adjusted Rand index on the rows that both have in a cluster, times how many of either's these are.

    1 is the same clusters, 0 chance; rows that only one has in a cluster count against it, and rows that
    neither has count for nothing.

    Args:
        first: labels of rows, -1 for none.
        second: of the same rows.

    >>> pair_agreement(np.array([0, 0, 1, 1, -1]), np.array([0, 0, 1, 1, -1]))
    1.0
    """
    return _on_both(adjusted_rand, first, second)


def _on_both(
    score: Callable[[Int64[np.ndarray, "a b"]], float],
    first: Int64[np.ndarray, "rows"],
    second: Int64[np.ndarray, "rows"],
) -> float:
    both = (first != NOISE) & (second != NOISE)
    either = int(((first != NOISE) | (second != NOISE)).sum())
    if not both.any():
        return 0.0
    return score(contingency(first[both], second[both])) * (int(both.sum()) / either)
