"""The classes of clusters that came next."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polylens.records import Rows
from polylens.statistics import Enrichment

_RUNNERS_UP = 3
"""Classes listed for each cluster."""


def runners_up(rows: Rows, enrichment: Enrichment) -> pd.DataFrame:
    """The most common classes of each cluster among its held-out rows."""
    lines = []
    for cluster, counts in enumerate(enrichment.held_out):
        size = max(int(counts.sum()), 1)
        for rank, label in enumerate(np.argsort(-counts, kind="stable")[:_RUNNERS_UP]):
            if counts[label]:
                share = counts[label] / size
                lines.append(
                    (
                        cluster,
                        rank + 1,
                        rows.classes[label],
                        counts[label],
                        share,
                        share / enrichment.base[label],
                    )
                )
    return pd.DataFrame(lines, columns=["cluster", "rank", "class", "held_out_rows", "share", "lift"])
