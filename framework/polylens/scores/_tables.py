"""Tables of scores: one line a cluster, one line an item, and what judges were told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from polylens.scores._items import PARTS

if TYPE_CHECKING:
    from polylens.scores._trial import Trial


@dataclass(frozen=True)
class Column:
    """What one labeler's labels came to on the items of one trial."""

    labeler: str
    group: str
    """`clusters`, `random rows`, or which permutation of labels."""
    right: Float64[np.ndarray, "items"]
    labels: Sequence[str]
    """The label that each item was held against."""
    outcomes: Sequence[str]
    said: Sequence[str]
    own: Bool[np.ndarray, "items"]
    """Whether an item was held against its own cluster's label, or one that reads the same."""


def cluster_table(trial: Trial, columns: Sequence[Column]) -> pd.DataFrame:
    """One line a scored cluster: of each labeler its label and the share of items it is right of."""
    items = trial.items
    labels = np.asarray(trial.subject.partition.labels)
    sizes = np.bincount(labels[labels >= 0], minlength=trial.subject.partition.n_clusters)
    table = pd.DataFrame({"cluster": items.scored, "size": sizes[items.scored]})
    if (tokens := trial.subject.rows.tokens) is not None:
        table["token_entropy"] = [_entropy(tokens.current[labels == each]) for each in items.scored.tolist()]
    for column in columns:
        by_cluster = pd.DataFrame(
            {"cluster": items.cluster, "label": list(column.labels), "right": column.right}
        ).groupby("cluster")
        table[f"label.{column.labeler}"] = table["cluster"].map(by_cluster["label"].first())
        table[f"right.{column.labeler}"] = table["cluster"].map(by_cluster["right"].mean())
    return table


def _entropy(values: Int64[np.ndarray, "rows"]) -> float:
    """How many bits tell which of its values a row has."""
    from scipy.stats import entropy

    return float(entropy(np.unique(values, return_counts=True)[1], base=2))


def item_table(trials: Mapping[str, Trial], columns: Sequence[Column]) -> pd.DataFrame:
    """One line for each item and labeler: the row, the label, what was answered and how right it is."""
    names = ["group", "labeler", "cluster", "label", "example", "position", "item_is"]
    names += ["outcome", "answer", "right"]
    tables = []
    for column in columns:
        trial = trials.get(column.group, trials["clusters"])
        items, origins = trial.items, trial.subject.rows.origins
        tables.append(
            pd.DataFrame(
                {
                    "group": column.group,
                    "labeler": column.labeler,
                    "cluster": items.cluster,
                    "label": list(column.labels),
                    "example": [origins.example_ids[each] for each in origins.example[items.row]],
                    "position": origins.position[items.row],
                    "item_is": [PARTS[each] for each in items.part],
                    "outcome": list(column.outcomes),
                    "answer": list(column.said),
                    "right": column.right,
                }
            )
        )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)


def prompt_table(name: str, template: str) -> pd.DataFrame:
    """What judges were told, word for word; data followed in a message of its own."""
    return pd.DataFrame({"prompt": [name], "text": [template]})
