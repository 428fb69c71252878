"""Names of clusters by their classes, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polylens.errors import DataError
from polylens.labels._evidence import Level, Particulars, labels_of
from polylens.labels.class_enrichment.tables import runners_up
from polylens.progress import Progress
from polylens.records import Labels, Partition, Rows
from polylens.statistics import UNNAMED, Blocks, enrich, enrich_rows
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
    level = Level(label.level, among)
    rounds = level.rounds(least=label.permutations)
    with progress.task("naming clusters", total=1, unit="partitions") as task:
        enrichment = (enrich_rows if rows.by_row else enrich)(
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
    return labels_of(
        enrichment,
        guesses,
        rows,
        partition,
        level=level,
        particulars=Particulars(
            words={"class": guesses},
            shares={
                "class_share_of_rows": [
                    enrichment.base[name] if name != UNNAMED else np.nan for name in enrichment.name
                ]
            },
            tables={"runners_up": runners_up(rows, enrichment)},
            chance_is=f"mean of {rounds} rounds of naming and scoring with {_shuffled(rows)}",
        ),
    )


def _shuffled(rows: Rows) -> str:
    """What chance is made of."""
    return "the classes of whole examples laid over other rows" if rows.by_row else "shuffled classes"
