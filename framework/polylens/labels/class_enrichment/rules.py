"""Which rows a name by a class is scored on, and which it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from polylens.records import Labels, Rows
from polylens.statistics import Blocks, split_examples
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.labels.class_enrichment import ClassEnrichment


def held_out_rows(label: ClassEnrichment, rows: Rows, streams: Streams) -> Bool[np.ndarray, "rows"]:
    """The rows of the examples that are kept from naming: the split that naming makes, made again."""
    blocks = Blocks.of(rows.origins.block)
    # Where rows have classes of their own, examples have none to be split by.
    classes = np.zeros(len(blocks), np.int64) if rows.by_row else np.asarray(rows.targets)[blocks.first]
    split = split_examples(classes, holdout=label.holdout, generator=streams.generator("split"))
    return np.asarray(split[blocks.block])


def fitting_rows(labels: Labels, rows: Rows) -> Bool[np.ndarray, "rows clusters"]:
    """Whether each row is of the class that each cluster is named by; no row is where it has no name."""
    index = {name: number for number, name in enumerate(rows.classes)}
    named = np.array([index.get(each.guess, -1) for each in labels.clusters], dtype=np.int64)
    return np.asarray((np.asarray(rows.targets)[:, None] == named[None]) & (named >= 0)[None])
