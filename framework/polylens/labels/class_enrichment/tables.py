"""Tables of class enrichment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from polylens.records import ClusterLabel, Partition, Rows
from polylens.statistics import Enrichment

_COLUMNS = (
    *("cluster", "label", "named", "above_chance", "size", "class", "naming_rows", "held_out_rows"),
    *("share", "share_low", "share_high", "class_share_of_rows", "lift", "lift_low", "lift_high"),
    *("chance_lift", "p_value", "exemplar_example"),
)
_RUNNERS_UP = 3
"""Classes listed for each cluster."""


def cluster_table(
    rows: Rows, partition: Partition, enrichment: Enrichment, clusters: Sequence[ClusterLabel]
) -> pd.DataFrame:
    """One line a cluster: its label and all of the evidence."""
    share_low, share_high = enrichment.share_limits()
    lift_low, lift_high = enrichment.lift_limits()
    lines = []
    for each in clusters:
        index = each.cluster
        name = int(enrichment.name[index])
        lines.append(
            {
                "cluster": index,
                "label": each.text,
                "named": each.named,
                "above_chance": each.above_chance,
                "size": each.size,
                "class": rows.classes[name] if name >= 0 else "",
                "naming_rows": int(enrichment.naming_rows[index]),
                "held_out_rows": int(enrichment.held_out_rows[index]),
                "share": enrichment.share[index],
                "share_low": share_low[index],
                "share_high": share_high[index],
                "class_share_of_rows": enrichment.base[name] if name >= 0 else np.nan,
                "lift": enrichment.lift[index],
                "lift_low": lift_low[index],
                "lift_high": lift_high[index],
                "chance_lift": each.chance_lift,
                "p_value": each.p_value,
                "exemplar_example": rows.origins.example_ids[
                    rows.origins.example[partition.exemplars[index]]
                ],
            }
        )
    return pd.DataFrame(lines, columns=list(_COLUMNS))


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
