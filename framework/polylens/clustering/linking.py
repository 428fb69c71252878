"""From any minimum spanning tree to the one hierarchy that all of them tell of."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import Hierarchy


def canonical(
    left: Int64[np.ndarray, "edges"],
    right: Int64[np.ndarray, "edges"],
    height: Float64[np.ndarray, "edges"],
    *,
    core: Float64[np.ndarray, "rows"],
    metric: str,
    min_samples: int,
    bits: int | None = None,
) -> Hierarchy:
    """The hierarchy of a minimum spanning tree of mutual reachability, in the form that all such trees share.

    Edges of one height join their groups at once, so that neither the choice among trees of equal weight nor
    the order of equal edges matters. Takes O(rows) memory, and about a second for a million rows.

    Args:
        left: one end of each edge, a row number.
        right: the other end.
        height: mutual reachability of both ends, in any order of the edges.
        core: core distance of each row.
        metric: what the heights are measured by.
        min_samples: neighbours that core distances reach to.
        bits: how many bits Hamming heights are shares of.

    Raises:
        ValueError: the edges are not a spanning tree of the rows, or a height is NaN, infinite or below 0.

    >>> found = canonical(
    ...     np.array([2, 0]), np.array([1, 1]), np.array([1.0, 3.0]),
    ...     core=np.zeros(3), metric="euclidean", min_samples=1,
    ... )
    >>> found.order.tolist(), found.heights.tolist()
    ([0, 1, 2], [3.0, 1.0])
    """
    from polylens.kernels.linkage import chain_groups

    rows = len(core)
    if len(left) != rows - 1:
        raise ValueError(f"{len(left)} edges are no spanning tree of {rows} rows")
    if not (np.isfinite(height) & (height >= 0)).all():
        raise ValueError("the heights of edges must be finite, and 0 or more")
    ends = np.concatenate([left, right])
    if ends.min(initial=0) < 0 or ends.max(initial=0) >= rows:
        raise ValueError(f"the edges must join rows 0 to {rows - 1}")
    rising = np.argsort(height)
    order = np.empty(rows, dtype=np.int64)
    gaps = np.empty(rows - 1, dtype=np.float64)
    if not chain_groups(left[rising], right[rising], height[rising], order, gaps):
        raise ValueError("the edges hold a circle: they are no spanning tree")
    return Hierarchy(order, gaps, core, metric, min_samples, bits)
