"""Which classes the rows of each cluster come from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from polylens.figures.heat import ROW, draw_heat, head_height, row_shares
from polylens.figures.placing import top
from polylens.figures.style import canvas, picture, sentence
from polylens.records import count_clusters
from polylens.wording import count_of, percent

_MOST_CLUSTERS = 30
_MOST_CLASSES = 16


@picture
def clusters_by_class(
    labels: Int[np.ndarray, "rows"], *, targets: Int[np.ndarray, "rows"], classes: Sequence[str]
) -> Figure:
    """Which classes the rows of each cluster come from: colours are shares of a cluster, numbers are rows.

    Clusters are sorted by their most common class; the smallest clusters and the rarest classes are merged
    where there are too many to be read.

    Args:
        labels: cluster of each row; -1 is noise.
        targets: class of each row, an index into `classes`.
        classes: names.
    """
    heading = "Clusters by class"
    n_clusters = count_clusters(labels)
    if not n_clusters or not classes:
        reason = "There are no classes." if not classes else f"All {count_of(len(labels), 'row')} are noise."
        return sentence(heading, reason if len(labels) else "There are no rows.")
    table = _count(labels, targets, n_clusters=n_clusters, n_classes=len(classes))
    kept, columns = _choose(table)
    counts, names, column_names = _merge_rest(table, classes, kept=kept, columns=columns)
    clustered = table[:-1]
    purity = clustered.max(axis=1).sum() / max(clustered.sum(), 1)
    shares = row_shares(counts)
    if len(columns) < len(classes):
        shares[:, -1] = np.nan
    deepest = float(np.nanmax(shares, initial=0.0))
    high = 1.0 if deepest > 0.5 else max(deepest, 0.01)
    totals = [f"{name}  ({int(total):,})" for name, total in zip(names, counts.sum(axis=1), strict=True)]
    figure = canvas(
        f"{percent(float(purity))} of clustered rows are of their cluster's most common class",
        note="Numbers are rows. The deeper the colour, the larger the share of the cluster (deepest:"
        f" {percent(high)}). Clusters are sorted by their most common class.",
        height=ROW * len(names) + head_height(totals, column_names),
    )
    draw_heat(
        figure.add_subplot(),
        values=shares,
        texts=[[f"{n:,}" if n else "" for n in row] for row in counts.tolist()],
        row_names=totals,
        column_names=column_names,
        high=high,
    )
    return figure


def _count(
    labels: Int[np.ndarray, "rows"], targets: Int[np.ndarray, "rows"], *, n_clusters: int, n_classes: int
) -> Int[np.ndarray, "clusters_and_noise classes"]:
    """Rows of each cluster, and last of noise, by class; rows without a class are not counted."""
    known = (targets >= 0) & (targets < n_classes)
    table = np.zeros((n_clusters + 1, n_classes), dtype=np.int64)
    # Noise, -1, falls into the last row by itself.
    np.add.at(table, (labels[known], targets[known]), 1)
    return table


def _choose(
    table: Int[np.ndarray, "clusters_and_noise classes"],
) -> tuple[Int[np.ndarray, "kept"], Int[np.ndarray, "columns"]]:
    """The clusters that are drawn, sorted by their most common class, and the classes that are."""
    kept = top(table[:-1].sum(axis=1), most=_MOST_CLUSTERS)
    columns = top(table[:-1].sum(axis=0), most=_MOST_CLASSES)
    most = table[kept].argmax(axis=1)
    common = np.where(np.isin(most, columns), most, table.shape[1])
    return kept[np.lexsort((-table[kept].max(axis=1), common))], columns


def _merge_rest(
    table: Int[np.ndarray, "clusters_and_noise classes"],
    classes: Sequence[str],
    *,
    kept: Int[np.ndarray, "kept"],
    columns: Int[np.ndarray, "columns"],
) -> tuple[Int[np.ndarray, "lines shown"], list[str], list[str]]:
    """The counts that are drawn, all other clusters and all other classes merged, with the names of both."""
    n_clusters = len(table) - 1
    other_clusters, other_classes = n_clusters - len(kept), len(classes) - len(columns)
    names = [f"cluster {cluster}" for cluster in kept]
    shown = [table[kept]]
    if other_clusters:
        shown.append(table[np.setdiff1d(np.arange(n_clusters), kept)].sum(axis=0, keepdims=True))
        names.append(count_of(other_clusters, "other"))
    counts = np.concatenate([*shown, table[-1:]])
    names.append("noise")
    column_names = [str(classes[column]) for column in columns]
    if other_classes:
        rest = counts.sum(axis=1) - counts[:, columns].sum(axis=1)
        counts = np.column_stack([counts[:, columns], rest])
        column_names.append(count_of(other_classes, "other"))
    return counts, names, column_names
