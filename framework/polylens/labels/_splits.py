"""The split of labels that are no rule: that of the rules, so that all are scored on the same rows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from polylens.records import Rows
from polylens.statistics import Blocks, split_examples
from polylens.streams import Streams


def shared_split(rows: Rows, holdout: float, streams: Streams) -> Bool[np.ndarray, "rows"]:
    """The rows that `class_enrichment` keeps from naming, or `token_enrichment` where there are no classes.

    Args:
        rows: that were partitioned.
        holdout: share of the examples that is kept from naming.
        streams: those of the label, whose last name is its kind.
    """
    blocks = Blocks.of(rows.origins.block)
    classes, rule = np.zeros(len(blocks), np.int64), "token_enrichment"
    if rows.targets is not None and rows.classes:
        rule = "class_enrichment"
        classes = classes if rows.by_row else np.asarray(rows.targets)[blocks.first]
    of_rule = Streams(streams.seed, (*streams.path[:-1], rule))
    split = split_examples(classes, holdout=holdout, generator=of_rule.generator("split"))
    return np.asarray(split[blocks.block])
