"""A person's labels of the clusters at hand, from a filled sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from polylens.annotation import FilledLine, cluster_id, clusters_digest, read_sheet
from polylens.errors import DataError, listed, nearest
from polylens.records import LabelRecord, Labels, Number, Partition, Rows
from polylens.statistics import Shares
from polylens.work import Work

if TYPE_CHECKING:
    from polylens.labels.given import Given


def given_labels(label: Given, rows: Rows, partition: Partition, work: Work) -> Labels:
    """The label of every cluster that the person labelled or judged.

    Raises:
        DataError: the sheet is of other clusters, or of several people of whom none is named.
        UsageError: something in the sheet is wrong.
    """
    filled = read_sheet(label.path(work.judging.root)).check(undone="its labels cannot be used")
    lines = _of_author(label, filled)
    clusters, held_out = clusters_digest(rows, partition), label.held_out(rows, work.streams)
    by_id = {cluster_id(clusters, held_out, each): each for each in range(partition.n_clusters)}
    strange = [line.line for line in lines if line.id not in by_id]
    if strange:
        raise DataError(
            f"the sheet '{label.file}' is of other clusters: line {strange[0]} is of none of these",
            hint="export one of a run of this spec; of a blind sheet, name the version that its import kept",
        )
    records = sorted((line.record(by_id[line.id], day="") for line in lines), key=lambda each: each.cluster)
    numbers, undefined = _numbers(records, n_clusters=partition.n_clusters)
    said = f"{len(records)} of {partition.n_clusters} clusters"
    return Labels(
        clusters=(),
        numbers=numbers,
        tables={"clusters": _cluster_table(records, partition)},
        notes=(f"Labels of a person ({lines[0].author}): {said}. They are claims, to be scored.",),
        undefined=undefined,
        written=tuple(records),
    )


def _of_author(label: Given, filled: Sequence[FilledLine]) -> list[FilledLine]:
    """The lines of one author.

    Raises:
        DataError: nothing is filled, the author has none, or there are several and none is named.
    """
    authors = sorted({line.author for line in filled})
    if not authors:
        raise DataError(f"nothing is filled in the sheet '{label.file}'", hint="fill it, or leave it out")
    if not label.author and len(authors) > 1:
        raise DataError(
            f"several people filled the sheet '{label.file}': {listed(authors)}",
            hint="`author:` says whose labels are meant; each can be a label of its own",
        )
    author = label.author or authors[0]
    if author not in authors:
        near = nearest(author, authors)
        hint = f"did you mean '{near}'?" if near else f"it has {listed(authors)}"
        raise DataError(f"'{author}' filled nothing in the sheet '{label.file}'", hint=hint)
    return [line for line in filled if line.author == author]


def _numbers(records: Sequence[LabelRecord], *, n_clusters: int) -> tuple[dict[str, Number], dict[str, str]]:
    """How many clusters got a label, and what share of those that were judged have one meaning."""
    if not n_clusters:
        return {}, dict.fromkeys(("labelled_fraction", "one_meaning"), "no clusters")
    numbers = {"labelled_fraction": Number(sum(bool(each.text) for each in records) / n_clusters)}
    judged = np.array([each.meanings == "one" for each in records if each.meanings], dtype=bool)
    if not len(judged):
        return numbers, {"one_meaning": "no cluster was judged"}
    shares = Shares.of(judged, example=np.arange(len(judged)))
    (interval,) = shares.intervals()
    one = Number(float(shares.values[0]), interval.low, interval.high, interval.meaning)
    return {**numbers, "one_meaning": one}, {}


def _cluster_table(records: Sequence[LabelRecord], partition: Partition) -> pd.DataFrame:
    """One line for each labelled or judged cluster."""
    labels = np.asarray(partition.labels)
    sizes = np.bincount(labels[labels >= 0], minlength=partition.n_clusters)
    columns = ("cluster", "text", "meanings", "note", "by", "at")
    table = pd.DataFrame(
        [[getattr(each, name) for name in columns] for each in records], columns=list(columns)
    )
    table.insert(1, "size", sizes[table["cluster"].to_numpy(dtype=np.int64)])
    return table
