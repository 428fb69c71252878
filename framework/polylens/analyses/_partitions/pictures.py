"""Pictures that every kind of partition has."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int64

from polylens.analyses import Outcome
from polylens.analyses._partitions.distances import UNITS, cluster_distances
from polylens.analyses._partitions.spaces import Metric, On, Scale
from polylens.bits import unpack_codes
from polylens.clustering import Points, row_points, row_values
from polylens.figures import (
    cluster_persistence,
    cluster_sizes,
    code_image,
    medoid_codes,
    row_map,
    within_between,
)
from polylens.records import Codes, Figure, Partition, Rows
from polylens.statistics import two_dimensional_map
from polylens.streams import Streams

_MAP_ROWS = 2000
"""Most rows in the map."""
_CODE_ROWS = 1000
"""Most rows in the image of codes."""
_CODE_BITS = 32_000_000
"""Most bits unpacked for one image."""
_MEDOIDS = 60
"""Most clusters in the image of medoids."""


def partition_pictures(
    outcome: Outcome, *, on: On, metric: Metric, scale: Scale, subject: str
) -> tuple[Figure, ...]:
    """Sizes, a map of the rows, distances within and between clusters, and the codes where there are any."""
    partition = outcome.findings.partition
    if partition is None:
        return ()
    rows, streams = outcome.rows, Streams(seed=0, path=("pictures",))
    about = f"{partition.method}. {subject}"
    figures = [
        _sizes(partition, about),
        _map(rows, partition, about, on=on, scale=scale, streams=streams),
        _distances(rows, partition, about, on=on, metric=metric, scale=scale, streams=streams),
    ]
    if rows.codes is not None and not rows.codes.scheme.is_graded:
        figures += [
            _codes(rows, rows.codes, partition, subject, streams),
            _medoids(rows.codes, partition, about, streams),
        ]
    return tuple(figures)


def _sizes(partition: Partition, about: str) -> Figure:
    noise = int((partition.labels < 0).sum())
    if partition.persistence is None:
        return Figure(
            name="cluster-sizes",
            title="Cluster sizes",
            caption=f"Rows of each cluster and noise. {about}",
            png=cluster_sizes(partition.labels),
            alt=f"Bars: {partition.n_clusters} clusters by falling size, and {noise} rows of noise.",
        )
    sizes = np.bincount(partition.labels[partition.labels >= 0], minlength=partition.n_clusters)
    return Figure(
        name="cluster-sizes",
        title="Size and persistence",
        caption=(
            "Rows of each cluster, and how long it lasts as rows come apart: 1 would be from no density at "
            f"all to the greatest. {noise:,} rows are noise. {about}"
        ),
        png=cluster_persistence(sizes, persistence=partition.persistence),
        alt=f"Bars and dots: {partition.n_clusters} clusters by falling size, with their persistence.",
    )


def _map(rows: Rows, partition: Partition, about: str, *, on: On, scale: Scale, streams: Streams) -> Figure:
    chosen = _draw_rows(len(rows), _MAP_ROWS, streams.generator("map"))
    map_of_rows = two_dimensional_map(
        _points_of(rows, chosen, on=on, scale=scale), generator=streams.generator("places"), limit=_MAP_ROWS
    )
    shown = "all rows" if len(chosen) == len(rows) else f"{len(chosen):,} rows drawn at random"
    return Figure(
        name="row-map",
        title="Map of the rows",
        caption=(
            f"{shown.capitalize()} placed by {map_of_rows.method}: neighbours stay near, distances mean "
            f"little. {about}"
        ),
        png=row_map(
            map_of_rows.places,
            labels=partition.labels[chosen],
            targets=None if rows.targets is None else rows.targets[chosen],
            classes=rows.classes,
            method=map_of_rows.method,
        ),
        alt="The rows as points in the plane, once coloured by cluster and once by class.",
    )


def _distances(
    rows: Rows, partition: Partition, about: str, *, on: On, metric: Metric, scale: Scale, streams: Streams
) -> Figure:
    distances = cluster_distances(
        rows, partition, on=on, metric=metric, scale=scale, generator=streams.generator("pairs")
    )
    return Figure(
        name="distances",
        title="Distances within and between clusters",
        caption=f"Pairs of rows drawn at random, every pair of a kind as likely. {about}",
        png=within_between(
            distances.within,
            between=distances.between,
            noise=distances.noise,
            noise_is="noise to the nearest medoid",
            unit=UNITS[metric],
        ),
        alt="Histograms of the distances of rows of one cluster, of two clusters, and of noise to medoids.",
    )


def _codes(rows: Rows, codes: Codes, partition: Partition, subject: str, streams: Streams) -> Figure:
    most = min(_CODE_ROWS, _CODE_BITS // max(codes.scheme.bits, 1) + 1)
    chosen = _draw_rows(len(rows), most, streams.generator("codes"))
    return Figure(
        name="codes-by-cluster",
        title="Codes by cluster",
        caption=f"One line a row ({len(chosen):,} of {len(rows):,}), one column a unit. {subject}",
        png=code_image(_bits_of(codes, chosen), labels=partition.labels[chosen], layers=codes.scheme.layers),
        alt="The bits of the codes as an image, rows sorted by cluster, noise last.",
    )


def _medoids(codes: Codes, partition: Partition, about: str, streams: Streams) -> Figure:
    sizes = np.bincount(partition.labels[partition.labels >= 0], minlength=partition.n_clusters)[:_MEDOIDS]
    medoids = _bits_of(codes, partition.exemplars[: len(sizes)])
    most = max(_CODE_BITS // max(codes.scheme.bits * max(len(sizes), 1), 1), 1)
    agreement = np.zeros(medoids.shape)
    for cluster, medoid in enumerate(medoids):
        members = np.flatnonzero(partition.labels == cluster)
        chosen = members[_draw_rows(len(members), most, streams.generator("members", cluster))]
        agreement[cluster] = (_bits_of(codes, chosen) == medoid).mean(0)
    which = "each cluster" if len(sizes) == partition.n_clusters else f"the {len(sizes)} largest clusters"
    return Figure(
        name="medoid-codes",
        title="Codes of the medoids",
        caption=(
            f"The code of the medoid of {which}, and the share of the cluster's rows that agree with it, bit "
            f"by bit (up to {most:,} rows of a cluster, drawn at random). {about}"
        ),
        png=medoid_codes(medoids, sizes=sizes, layers=codes.scheme.layers, agreement=agreement),
        alt="One line a cluster: the bits of its medoid, and how far its rows agree on each.",
    )


def _draw_rows(rows: int, most: int, generator: np.random.Generator) -> Int64[np.ndarray, "chosen"]:
    return np.sort(generator.choice(rows, size=min(rows, most), replace=False)).astype(np.int64)


def _points_of(rows: Rows, chosen: Int64[np.ndarray, "chosen"], *, on: On, scale: Scale) -> Points:
    """The points of some rows: of codes only those are unpacked, activations are scaled as all rows are."""
    if on == "code":
        return row_points(rows.take(chosen), on=on)
    return row_values(rows, on=on, scale=scale).values(chosen)


def _bits_of(codes: Codes, chosen: Int64[np.ndarray, "chosen"]) -> Bool[np.ndarray, "chosen bits"]:
    bits: Bool[np.ndarray, "chosen bits"] = unpack_codes(codes.take(chosen))
    return bits
