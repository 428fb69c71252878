"""Which clusters lie nearest to each, by their medoids."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from polylens.records import Partition, Rows


def nearest_clusters(rows: Rows, partition: Partition) -> Int64[np.ndarray, "clusters others"]:
    """All other clusters, the nearest first; of equally near ones the larger cluster.

    Distances are between medoids: Euclidean between activations or graded codes, of bits between hard codes.

    Args:
        rows: that were partitioned.
        partition: the clusters.
    """
    medoids = partition.exemplars
    count = len(medoids)
    apart = np.zeros((count, count))
    if not count:
        return np.zeros((0, 0), np.int64)
    by_code = rows.codes is not None and (partition.space == "code" or rows.activations is None)
    if by_code and rows.codes is not None and not rows.codes.scheme.is_graded:
        packed = rows.codes.packed[medoids]
        for number, own in enumerate(packed):
            apart[number] = np.bitwise_count(packed ^ own).sum(1, dtype=np.int64)
    else:
        values = rows.codes.graded if by_code and rows.codes is not None else rows.activations
        if values is not None:
            points = np.asarray(values[medoids], dtype=np.float64).reshape(count, -1)
            for number, own in enumerate(points):
                apart[number] = np.linalg.norm(points - own, axis=1)
    np.fill_diagonal(apart, -1.0)
    return np.argsort(apart, axis=1, kind="stable")[:, 1:].astype(np.int64)
