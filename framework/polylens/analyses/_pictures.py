"""Pictures and tables that every kind of partition has. Not a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polylens.analyses import Outcome
from polylens.clustering import Points
from polylens.records import Figure, Partition, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import pandas as pd

_CODE_ROWS = 1000
"""Most rows in the image of codes."""
_CODE_BITS = 32_000_000
"""Most bits unpacked for the image of codes."""


def cluster_table(rows: Rows, partition: Partition) -> pd.DataFrame:
    """One line a cluster: size, mean strength, and where its exemplar (the medoid) comes from."""
    import pandas as pd

    clusters = np.arange(partition.n_clusters)
    sizes = np.bincount(partition.labels[partition.labels >= 0], minlength=len(clusters))
    strength = [float(partition.strength[partition.labels == cluster].mean()) for cluster in clusters]
    origins = rows.origins
    return pd.DataFrame(
        {
            "cluster": clusters,
            "size": sizes,
            "share_of_rows": sizes / len(partition.labels),
            "mean_strength": np.array(strength, dtype=np.float64),
            "exemplar_row": partition.exemplars,
            "exemplar_example": [origins.example_ids[origins.example[row]] for row in partition.exemplars],
            "exemplar_position": origins.position[partition.exemplars],
        }
    )


def partition_pictures(outcome: Outcome, points: Points, *, subject: str) -> tuple[Figure, ...]:
    """Cluster sizes, a map of the rows, and the codes sorted by cluster where there are codes."""
    from polylens.figures import cluster_sizes, code_image, row_map
    from polylens.statistics import two_dimensional_map

    partition = outcome.findings.partition
    if partition is None:
        return ()
    rows, streams = outcome.rows, Streams(seed=0, path=("pictures",))
    noise = int((partition.labels < 0).sum())
    place = two_dimensional_map(points, generator=streams.generator("map"))
    shown = "all rows" if len(place.rows) == len(rows) else f"{len(place.rows):,} rows drawn at random"
    figures = [
        Figure(
            name="cluster-sizes",
            title="Cluster sizes",
            caption=f"Rows of each cluster and noise. {partition.method}. {subject}",
            png=cluster_sizes(partition.labels),
            alt=f"Bars: {partition.n_clusters} clusters by falling size, and {noise} rows of noise.",
        ),
        Figure(
            name="row-map",
            title="Map of the rows",
            caption=(
                f"{shown.capitalize()} placed by {place.method}: neighbours stay near, distances mean "
                f"little. {partition.method}. {subject}"
            ),
            png=row_map(
                place.places,
                labels=partition.labels[place.rows],
                targets=None if rows.targets is None else rows.targets[place.rows],
                classes=rows.classes,
                method=place.method,
            ),
            alt="The rows as points in the plane, once coloured by cluster and once by class.",
        ),
    ]
    if rows.codes is not None:
        from polylens.bits import unpacked

        layers = rows.codes.scheme.layers
        most = min(_CODE_ROWS, _CODE_BITS // max(sum(layer.bits for layer in layers), 1) + 1, len(rows))
        chosen = np.sort(streams.generator("codes").choice(len(rows), size=most, replace=False))
        drawn = rows.take(chosen.astype(np.int64)).codes
        if drawn is not None:
            figures.append(
                Figure(
                    name="codes-by-cluster",
                    title="Codes by cluster",
                    caption=f"One line a row ({most:,} of {len(rows):,}), one column a unit. {subject}",
                    png=code_image(unpacked(drawn), labels=partition.labels[chosen], layers=layers),
                    alt="The bits of the codes as an image, rows sorted by cluster, noise last.",
                )
            )
    return tuple(figures)
