"""Which rows can be told from a cluster's by what is shown of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from polylens.records import Partition, Rows


def rows_apart(rows: Rows, partition: Partition, cluster: int) -> Bool[np.ndarray, "rows"]:
    """The rows that are not of a cluster, and are not shown as one of its rows is.

    Of an image the whole is shown, wherever the row stands in it: an image with a row of the cluster is no
    example of what the cluster is not.

    Args:
        rows: that were partitioned.
        partition: the clusters.
        cluster: whose rows the others are told from.
    """
    is_member = np.asarray(partition.labels) == cluster
    if not shows_wholes(rows):
        return np.asarray(~is_member)
    block = rows.origins.block
    return np.isin(block, block[is_member], invert=True)


def shows_wholes(rows: Rows) -> bool:
    """Whether rows are positions of images, of which people and judges are shown the whole."""
    return rows.tokens is None and bool(rows.origins.grid)
