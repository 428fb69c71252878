"""Scores of the clusters of a partition against classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from polylens.analyses._partitions.classes import class_numbers, defined, lack_of_clusters
from polylens.analyses.cluster_quality.tables import chance_table, cluster_purities, quality_curve
from polylens.errors import DataError
from polylens.records import Findings, Number, Partition, Rows, count_clusters
from polylens.statistics import (
    Blocks,
    ClassNull,
    class_null,
    cluster_classes,
    coverage,
    information_agreement,
    partition_number,
    position_number,
    purity,
    right_fraction,
    row_null,
)
from polylens.streams import Streams

_WITH_CLUSTERS = ("purity", "best_cluster_purity")
"""Numbers that are not defined without clusters."""

if TYPE_CHECKING:
    from polylens.analyses.cluster_quality import ClusterQuality


def cluster_quality_findings(
    analysis: ClusterQuality, rows: Rows, *, streams: Streams, upstream: Mapping[str, Findings]
) -> Findings:
    """Scores with stability ranges from the partition's subsamples and chance from block permutations."""
    partition = upstream[analysis.of].clusters(analysis.of, to="score")
    if rows.targets is None:
        raise DataError(
            "these rows have no classes, so clusters cannot be scored by them",
            hint="use a dataset with classes, or leave 'cluster_quality' out",
        )
    targets, blocks = np.asarray(rows.targets), Blocks.of(rows.origins.block)
    null = (row_null if rows.by_row else class_null)(
        partition.labels, targets, blocks=blocks, permutations=analysis.permutations, streams=streams
    )
    known = _scores(analysis, rows, partition, null, streams=streams)
    notes, undefined = lack_of_clusters(partition, _WITH_CLUSTERS, note="purity is not defined")
    return Findings(
        numbers=known,
        tables={
            "clusters": cluster_purities(rows, partition, null),
            "curve": quality_curve(rows, partition),
            "chance": chance_table(known, null),
        },
        notes=notes,
        undefined=undefined,
    )


def _scores(
    analysis: ClusterQuality, rows: Rows, partition: Partition, null: ClassNull, *, streams: Streams
) -> dict[str, Number]:
    """Every score that is defined, with its stability range and its level by chance."""
    targets, blocks = np.asarray(rows.targets), Blocks.of(rows.origins.block)
    rounds = "rounds with the classes of whole examples laid over other rows"
    shuffles = f"{analysis.permutations} {rounds if rows.by_row else 'shuffles of classes over examples'}"
    counts = {
        "clusters": partition_number(partition, lambda labels, _: float(count_clusters(labels))),
        "coverage": partition_number(partition, lambda labels, _: coverage(labels)),
    }
    by_classes = class_numbers(
        partition,
        targets,
        {
            "purity": (purity, null.purity),
            "right_fraction": (right_fraction, null.purity * coverage(partition.labels)),
            "adjusted_mutual_information": (information_agreement, null.information),
        },
        null_is=shuffles,
    )
    others = {
        "best_cluster_purity": partition_number(
            partition,
            lambda labels, kept: cluster_classes(labels, targets[kept]).purity.max(initial=0.0) or None,
            null=null.best_cluster_purity,
            level=0.95,
            null_is=f"{shuffles} (the best cluster of each)",
        ),
        "position_information": position_number(
            partition,
            rows.origins.position,
            blocks=blocks,
            permutations=analysis.permutations,
            streams=streams,
        ),
    }
    return {**defined(counts), **by_classes, **defined(others)}
