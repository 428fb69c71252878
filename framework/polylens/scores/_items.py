"""The held-out rows that every labeler is scored on: members of clusters, and rows of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from polylens.labels._apart import rows_apart
from polylens.records import Partition, Rows
from polylens.statistics import draw_rows
from polylens.streams import Streams

MEMBER, NEAREST, ELSEWHERE = 0, 1, 2
PARTS = ("member", "nearest", "elsewhere")
"""What an item is to its cluster, by number."""
_LEAST_ROWS = 8
_LEAST_EXAMPLES = 4
"""Clusters with fewer rows, or fewer examples in either half, are not scored."""
_NEAR = 3
"""How many of the nearest clusters hard negatives are of."""


@dataclass(frozen=True)
class Items:
    """Rows to be told from others, cluster by cluster."""

    cluster: Int64[np.ndarray, "items"]
    row: Int64[np.ndarray, "items"]
    part: Int64[np.ndarray, "items"]
    """One of `MEMBER`, `NEAREST` and `ELSEWHERE`."""
    scored: Int64[np.ndarray, "scored"]
    """The clusters that are scored, rising."""

    @property
    def is_member(self) -> Bool[np.ndarray, "items"]:
        """Whether each item is of its cluster."""
        return np.asarray(self.part == MEMBER)

    def members(self) -> Items:
        """The members alone."""
        kept = self.is_member
        return Items(self.cluster[kept], self.row[kept], self.part[kept], self.scored)


def scorable_clusters(
    labels: Int64[np.ndarray, "rows"],
    block: Int64[np.ndarray, "rows"],
    held_out: Bool[np.ndarray, "rows"],
    *,
    n_clusters: int,
) -> Int64[np.ndarray, "scored"]:
    """Clusters with enough rows, and enough examples in either half.

    Args:
        labels: cluster of each row; negative for none.
        block: the example of each row.
        held_out: which rows names were not made of.
        n_clusters: how many clusters there are.
    """
    clustered = labels >= 0
    enough = np.bincount(labels[clustered], minlength=n_clusters) >= _LEAST_ROWS
    for half in (held_out, ~held_out):
        kept = clustered & half
        pairs = np.unique(np.stack([labels[kept], block[kept]]), axis=1)
        enough &= np.bincount(pairs[0], minlength=n_clusters) >= _LEAST_EXAMPLES
    return np.flatnonzero(enough).astype(np.int64)


def choose_items(
    rows: Rows,
    partition: Partition,
    held_out: Bool[np.ndarray, "rows"],
    nearest: Int64[np.ndarray, "clusters others"],
    *,
    scored: Int64[np.ndarray, "scored"],
    members: int,
    streams: Streams,
) -> Items:
    """So many held-out members of each cluster, and as many held-out rows that are not of it.

    Half of the others are of the nearest clusters, the rest of anywhere else, where there are so many. A
    cluster has as many members as others, so that to say yes always is right of half of the items.

    Args:
        rows: that were partitioned.
        partition: the clusters.
        held_out: which rows names were not made of.
        nearest: the other clusters of each, the nearest first.
        scored: the clusters that items are chosen for.
        members: how many members at most.
        streams: draws the items.
    """
    labels, block = np.asarray(partition.labels), rows.origins.block
    cluster: list[int] = []
    row: list[int] = []
    part: list[int] = []
    for own in scored.tolist():
        generator = streams.generator("items", own)
        near = nearest[own, :_NEAR]
        apart = held_out & rows_apart(rows, partition, own)
        is_near = apart & np.isin(labels, near) & (labels >= 0)
        is_far = apart & ~is_near
        inside = draw_rows(np.flatnonzero(held_out & (labels == own)), block, members, generator)
        close = draw_rows(np.flatnonzero(is_near), block, len(inside), generator)
        far = draw_rows(np.flatnonzero(is_far), block, len(inside), generator)
        n_close = min(len(close), max(len(inside) // 2, len(inside) - len(far)))
        n_far = min(len(far), len(inside) - n_close)
        count = n_close + n_far
        for chosen, which in (
            (inside[:count], MEMBER),
            (close[:n_close], NEAREST),
            (far[:n_far], ELSEWHERE),
        ):
            cluster += [own] * len(chosen)
            row += chosen.tolist()
            part += [which] * len(chosen)
    return Items(np.array(cluster, np.int64), np.array(row, np.int64), np.array(part, np.int64), scored)
