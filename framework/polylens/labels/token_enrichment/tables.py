"""Words and tables of token enrichment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from polylens.records import ClusterLabel, Partition, Rows, RowTokens
from polylens.statistics import PLACES, Pieces, TokenScores

_COLUMNS = (
    *("cluster", "label", "named", "above_chance", "size", "places", "naming_rows", "held_out_rows"),
    *("share", "share_low", "share_high", "coverage", "name_share_of_rows"),
    *("lift", "lift_low", "lift_high", "chance_lift", "p_value", "exemplar_example"),
)
_SAID = {"current": "", "before": "after ", "after": "before "}
"""The word in a name for each place: a row that has a token before it stands after that token."""


def guess_of(scores: TokenScores, cluster: int, pieces: Pieces) -> str:
    """The tokens over-represented in a cluster, such as `"the" · after "of"`; empty where none are."""
    parts = []
    for place, said in enumerate(PLACES):
        if scores.names.used[cluster, place]:
            tokens = scores.names.tokens[cluster, place]
            named = " ".join(pieces.quote(int(token)) for token in tokens[tokens >= 0])
            parts.append(f"{_SAID[said]}{named}")
    return " · ".join(parts)


def cluster_table(
    rows: Rows, partition: Partition, scores: TokenScores, clusters: Sequence[ClusterLabel]
) -> pd.DataFrame:
    """One line a cluster: its label and all of the evidence."""
    share_low, share_high = scores.share_limits()
    lift_low, lift_high = scores.lift_limits()
    lines = []
    for each in clusters:
        index = each.cluster
        used = scores.names.used[index]
        lines.append(
            {
                "cluster": index,
                "label": each.text,
                "named": each.named,
                "above_chance": each.above_chance,
                "size": each.size,
                "places": " ".join(name for name, here in zip(PLACES, used, strict=True) if here),
                "naming_rows": int(scores.naming_rows[index]),
                "held_out_rows": int(scores.held_out_rows[index]),
                "share": scores.share[index],
                "share_low": share_low[index],
                "share_high": share_high[index],
                "coverage": scores.coverage[index],
                "name_share_of_rows": scores.base[index] if used.any() else np.nan,
                "lift": scores.lift[index],
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


def token_table(partition: Partition, tokens: RowTokens, scores: TokenScores) -> pd.DataFrame:
    """One line a token over-represented in a cluster, whether its place is in the cluster's name or not."""
    pieces = Pieces(tokens.vocabulary)
    labels = partition.labels[scores.held_out]
    members = [np.flatnonzero(labels == cluster) for cluster in range(partition.n_clusters)]
    lines = []
    for place, name in enumerate(PLACES):
        here = getattr(tokens, name)[scores.held_out]
        totals = np.bincount(here[here >= 0], minlength=len(tokens.vocabulary))
        for cluster, rank in np.argwhere(scores.names.tokens[:, place] >= 0):
            token = int(scores.names.tokens[cluster, place, rank])
            own = int((here[members[cluster]] == token).sum())
            share = own / max(len(members[cluster]), 1)
            base = totals[token] / max(len(here), 1)
            lines.append(
                {
                    "cluster": int(cluster),
                    "place": name,
                    "in_name": bool(scores.names.used[cluster, place]),
                    "rank": int(rank) + 1,
                    "token": pieces.quote(token),
                    "token_id": token,
                    "log_odds": scores.names.surprise[cluster, place, rank],
                    "held_out_rows": own,
                    "share": share,
                    "lift": share / base if base else np.nan,
                }
            )
    columns = ["cluster", "place", "in_name", "rank", "token", "token_id"]
    table = pd.DataFrame(lines, columns=[*columns, "log_odds", "held_out_rows", "share", "lift"])
    return table.sort_values("cluster", kind="stable", ignore_index=True)
