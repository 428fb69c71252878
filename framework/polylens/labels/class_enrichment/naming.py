"""Names of clusters by their classes, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polylens.errors import DataError
from polylens.labels._evidence import cluster_labels, notes_of, numbers_of, rounds_for, undefined_numbers
from polylens.labels.class_enrichment.tables import cluster_table, runners_up
from polylens.progress import Progress
from polylens.records import Labels, Partition, Rows
from polylens.statistics import UNNAMED, Blocks, enrich
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.labels.class_enrichment import ClassEnrichment


def class_labels(
    label: ClassEnrichment,
    rows: Rows,
    partition: Partition,
    *,
    streams: Streams,
    progress: Progress,
    among: int,
) -> Labels:
    """A label for every cluster, with held-out share and lift, their intervals and their chance level."""
    if rows.targets is None or not rows.classes:
        raise DataError(
            "these rows have no classes to name clusters by",
            hint="use a dataset with classes, or leave 'class_enrichment' out",
        )
    level = label.level / among
    rounds = rounds_for(level, least=label.permutations)
    with progress.task("naming clusters", total=1, unit="partitions") as task:
        enrichment = enrich(
            partition.labels,
            np.asarray(rows.targets),
            blocks=Blocks.of(rows.origins.block),
            n_classes=len(rows.classes),
            holdout=label.holdout,
            permutations=rounds,
            streams=streams,
        )
        task.advance()
    guesses = [rows.classes[name] if name != UNNAMED else "" for name in enrichment.name]
    clusters = cluster_labels(enrichment, guesses, partition, level=label.level, among=among)
    return Labels(
        clusters=clusters,
        numbers=numbers_of(
            enrichment,
            clusters,
            n_rows=len(partition.labels),
            level=level,
            chance_is=f"mean of {rounds} rounds of naming and scoring with shuffled classes",
        ),
        tables={
            "clusters": cluster_table(rows, partition, enrichment, clusters),
            "runners_up": runners_up(rows, enrichment),
        },
        notes=notes_of(enrichment, copies=rows.origins.n_copies, level=label.level, among=among),
        undefined=undefined_numbers(clusters),
    )
