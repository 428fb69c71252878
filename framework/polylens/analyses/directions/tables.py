"""Tables of directions beside clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from polylens.analyses.directions.families import RANDOM
from polylens.analyses.directions.meanings import Meanings
from polylens.analyses.directions.scores import CLUSTERS, Group
from polylens.records import Findings, Grouping, Origins

_EXAMPLES = 9
"""Top rows listed of each direction."""
_CLUSTERS = 6
"""Clusters whose histograms are kept."""
_BINS = 48
_EXAMPLE, _POSITION = "example", "position"
_NO_FAMILIES = (_EXAMPLE, _POSITION, CLUSTERS)
OTHERS = -1
"""The number of the histogram of all rows."""


def direction_table(
    groups: Sequence[Group], meanings: Meanings, tops: Mapping[str, Float64[np.ndarray, "directions"]]
) -> pd.DataFrame:
    """One line a cluster or a direction: its most common meaning, how pure it is, and what it passes."""
    lines = []
    for group in groups:
        for rank in range(int(group.labels.max()) + 1):
            members = np.flatnonzero(group.labels == rank)
            meaning, pure = meanings.most_common(members)
            line = {
                "family": group.name,
                "rank": rank,
                "unit": rank,
                "sign": 1,
                "members": len(members),
                "meaning": meaning,
                "purity": pure,
                "top_purity": np.nan,
                "variance_share": np.nan,
                "top_overlap": np.nan,
                "silent_members": 0,
            }
            if group.family is not None:
                along = group.family.scores[:, rank]
                lowest = along == along.min()
                line |= {
                    "unit": int(group.family.unit[rank]),
                    "sign": int(group.family.sign[rank]),
                    "top_purity": meanings.most_common(group.tops[rank])[1],
                    "variance_share": float(group.family.variance_share[rank]),
                    "top_overlap": float(tops[group.name][rank]),
                    # Rows at the very bottom together, as those where a unit is silent, are no top rows.
                    "silent_members": int(lowest[members].sum()) if lowest.sum() > 1 else 0,
                }
            lines.append(line)
    return pd.DataFrame(lines)


def member_table(groups: Sequence[Group], origins: Origins) -> pd.DataFrame:
    """One line a row: where it is from, its cluster, and the direction of each family it is a member of."""
    ids = [origins.example_ids[index] for index in origins.example]
    members = {group.name: group.labels for group in groups}
    return pd.DataFrame({_EXAMPLE: ids, _POSITION: origins.position, **members})


def groupings_of(findings: Findings) -> dict[str, Grouping]:
    """The members of each family's directions, by `member_table`."""
    table = findings.tables.get("members")
    families = [] if table is None else [name for name in table if name not in _NO_FAMILIES]
    return {
        str(name): Grouping(table[name].to_numpy(dtype=np.int64), is_control=name == RANDOM)
        for name in families
        if table is not None
    }


def example_table(
    groups: Sequence[Group], meanings: Meanings, clusters: Int64[np.ndarray, "rows"]
) -> pd.DataFrame:
    """The top rows of each direction: their examples, positions, meanings and clusters."""
    origins = meanings.rows.origins
    parts = []
    for group in groups:
        if group.family is None:
            continue
        for rank, own in enumerate(group.tops):
            top = own[:_EXAMPLES]
            parts.append(
                pd.DataFrame(
                    {
                        "family": group.name,
                        "rank": rank,
                        "unit": int(group.family.unit[rank]),
                        "place": np.arange(1, len(top) + 1),
                        "example": [origins.example_ids[index] for index in origins.example[top]],
                        "position": origins.position[top],
                        "meaning": meanings.names(meanings.values[top]),
                        "cluster": clusters[top],
                        "score": group.family.scores[top, rank].astype(np.float64),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def histogram_table(
    groups: Sequence[Group], meanings: Meanings, clusters: Int64[np.ndarray, "rows"]
) -> pd.DataFrame:
    """Histograms along the first direction of each family: of clusters furthest along it, and of all rows."""
    own = next(group for group in groups if group.name == CLUSTERS)
    n_clusters = int(own.labels.max()) + 1
    members = [np.flatnonzero(clusters == cluster) for cluster in range(n_clusters)]
    parts = []
    for group in groups:
        if group.family is None:
            continue
        along = group.family.scores[:, 0].astype(np.float64)
        low, high = float(along.min()), float(along.max())
        edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
        order = np.argsort([-along[rows].mean() for rows in members], kind="stable")[:_CLUSTERS]
        for cluster in [*order.tolist(), OTHERS]:
            rows = np.arange(len(along)) if cluster == OTHERS else members[cluster]
            meaning, share = ("all rows", np.nan) if cluster == OTHERS else meanings.most_common(rows)
            parts.append(
                pd.DataFrame(
                    {
                        "family": group.name,
                        "unit": int(group.family.unit[0]),
                        "cluster": cluster,
                        "meaning": meaning,
                        "share": share,
                        "low": edges[:-1],
                        "high": edges[1:],
                        "rows": np.histogram(along[rows], edges)[0],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)
