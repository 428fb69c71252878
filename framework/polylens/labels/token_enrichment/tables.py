"""The tokens that name clusters, in words and as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polylens.records import Partition, RowTokens
from polylens.statistics import PLACES, Pieces, TokenScores

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
