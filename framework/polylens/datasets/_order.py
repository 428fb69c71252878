"""The order in which a dataset draws its examples."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64


def stratified_order(
    targets: Int64[np.ndarray, "examples"], *, generator: np.random.Generator
) -> Int64[np.ndarray, "examples"]:
    """A random order of all examples of which every first part holds the classes in their proportions.

    Within a class the order is random. The k-th of a class of n examples stands at `(k + 1/2) / n` of the
    way, so among any first part each class has its share to within one example; ties are broken at random.

    Args:
        targets: class of each example.
        generator: randomness of the order.

    >>> targets = np.array([0, 0, 0, 0, 1, 1])
    >>> np.bincount(targets[stratified_order(targets, generator=np.random.default_rng(0))][:3]).tolist()
    [2, 1]
    """
    shuffled = generator.permutation(len(targets))
    places = np.empty(len(targets))
    for target in np.unique(targets):
        members = shuffled[targets[shuffled] == target]
        places[members] = (np.arange(len(members)) + 0.5) / len(members)
    # Sorting the shuffled examples stably leaves ties between classes in random order.
    return shuffled[np.argsort(places[shuffled], kind="stable")]
