"""The table that every kind of partition has, and what its clusters are called."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polylens.records import Partition, Rows


def cluster_table(rows: Rows, partition: Partition) -> pd.DataFrame:
    """A table of one line a cluster: size, mean strength, and where its exemplar (the medoid) comes from."""
    clusters = np.arange(partition.n_clusters)
    clustered = partition.labels >= 0
    labels = partition.labels[clustered]
    sizes = np.bincount(labels, minlength=len(clusters))
    strength = np.bincount(labels, partition.strength[clustered], minlength=len(clusters)) / sizes
    origins = rows.origins
    table = pd.DataFrame(
        {
            "cluster": clusters,
            "size": sizes,
            "share_of_rows": sizes / len(partition.labels),
            "mean_strength": strength,
            "exemplar_row": partition.exemplars,
            "exemplar_example": [origins.example_ids[origins.example[row]] for row in partition.exemplars],
            "exemplar_position": origins.position[partition.exemplars],
        }
    )
    if partition.persistence is not None:
        table.insert(4, "persistence", partition.persistence)
    return table


def cluster_names(partition: Partition) -> list[str]:
    """The clusters' numbers in words, and `noise` last where there is any."""
    clusters = [str(cluster) for cluster in range(partition.n_clusters)]
    return [*clusters, "noise"] if (partition.labels < 0).any() else clusters
