"""One set of clusters with its labels and the held-out rows that they are tried on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int64

from polylens.errors import DataError
from polylens.labels._nearest import nearest_clusters
from polylens.records import Partition
from polylens.scores import Labeler, Subject
from polylens.scores._items import Items, choose_items, scorable_clusters
from polylens.statistics import random_partition
from polylens.streams import Streams
from polylens.work import Work


@dataclass(frozen=True)
class Trial:
    """Clusters, their labels, and the items, which are the same for every labeler."""

    subject: Subject
    items: Items
    nearest: Int64[np.ndarray, "clusters others"]

    @staticmethod
    def of(subject: Subject, *, members: int, streams: Streams) -> Trial:
        """The trial of a subject.

        Args:
            subject: clusters and labels.
            members: how many members of a cluster are items, at most.
            streams: draws the items.

        Raises:
            DataError: a label does not say what it was made of, or no rows are left that no label has seen.
        """
        rows, partition = subject.rows, subject.partition
        labels, block = np.asarray(partition.labels), rows.origins.block
        held_out = _seen_by_none(subject)
        nearest = nearest_clusters(rows, partition)
        scored = scorable_clusters(labels, block, held_out, n_clusters=partition.n_clusters)
        items = choose_items(
            rows, partition, held_out, nearest, scored=scored, members=members, streams=streams
        )
        return Trial(subject, items, nearest)


def random_subject(subject: Subject, work: Work) -> Subject:
    """Sets of random rows, as large as the clusters, with the labels that the same labelers give them."""
    return relabelled(subject, random_partition(subject.partition, work.streams), work)


def relabelled(subject: Subject, partition: Partition, work: Work) -> Subject:
    """Other sets of the subject's rows, with the labels that the same labelers give them.

    People who were shown clusters alone give other sets no labels, and are no labelers of these.
    """
    labelers = {
        name: each.relabelled(partition, work)
        for name, each in subject.labelers.items()
        if each.label.of_controls
    }
    return replace(subject, partition=partition, labelers=labelers)


def _seen_by_none(subject: Subject) -> Bool[np.ndarray, "rows"]:
    """The rows that no label was made of.

    Raises:
        DataError: a label does not say what it was made of, or none are left.
    """
    unseen = np.ones(len(subject.rows), dtype=bool)
    for name, labeler in subject.labelers.items():
        own = labeler.held_out()
        if own is None:
            raise DataError(
                f"the label '{name}' ({labeler.label.kind()}) does not say which rows it was made of",
                hint="its kind needs a method `held_out`, as class_enrichment has one",
            )
        _check_split(name, labeler, own, subject.partition)
        unseen &= own
    if not unseen.any():
        raise DataError(
            f"no rows are left that none of the labels {', '.join(subject.labelers)} has seen",
            hint="score them one by one: `labels` names those that are scored together",
        )
    return unseen


def _check_split(
    name: str, labeler: Labeler, held_out: Bool[np.ndarray, "rows"], partition: Partition
) -> None:
    """Refuses to score a label on rows that it was made of: its own count of held-out rows must be met."""
    shown = labeler.labels.tables.get("shown")
    if shown is not None:
        origins = labeler.rows.origins
        unseen = {origins.example_ids[each] for each in np.unique(origins.example[held_out])}
        if unseen & set(shown["example"]):
            raise AssertionError(f"'{name}' was made of rows that it says it has not seen")
    table = labeler.labels.tables.get("clusters")
    if table is None or "held_out_rows" not in table:
        return
    labels = np.asarray(partition.labels)
    kept = labels[held_out & (labels >= 0)]
    counts = np.bincount(kept, minlength=partition.n_clusters)
    if counts.tolist() != table["held_out_rows"].tolist():
        raise AssertionError(f"the rows that '{name}' was made of are not those that it says")
