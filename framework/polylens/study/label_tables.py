"""All labels of a partition's clusters side by side, whoever gave them, with their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from polylens.records import ClusterLabel, LabelRecord
from polylens.report import LabelSheet
from polylens.study.people.said import People
from polylens.study.people.walked import people_of_walk
from polylens.study.plans import PlannedLabel, VariantPlan
from polylens.study.walk import Walk

if TYPE_CHECKING:
    import pandas as pd

_MOST_LINES = 60
"""Clusters that a page lists; the table has all."""


def records_of(walk: Walk, variant: VariantPlan, name: str) -> tuple[LabelRecord, ...]:
    """What one label of the spec says of each cluster, as the record that all labelers have."""
    planned, labels = variant.labels[name], walk.naming.labels(variant, name)
    records = {each.cluster: _rule_record(each, name, planned) for each in labels.clusters}
    records |= {each.cluster: each.of_labeler(name) for each in labels.written}
    scores = _scores_of(walk, variant, name)
    return tuple(
        record.with_scores({score: by[cluster] for score, by in scores.items() if cluster in by})
        for cluster, record in sorted(records.items())
    )


def label_tables(walk: Walk, variant: VariantPlan) -> Iterator[tuple[str, pd.DataFrame]]:
    """Of each labelled analysis one table: a line a cluster, and of each labeler its label and its scores."""
    import pandas as pd

    by_analysis: dict[str, list[str]] = {}
    for name, planned in variant.labels.items():
        by_analysis.setdefault(planned.label.of, []).append(name)
    for analysis, names in by_analysis.items():
        partition = walk.findings(variant, analysis).clusters(analysis)
        labels = np.asarray(partition.labels)
        sizes = np.bincount(labels[labels >= 0], minlength=partition.n_clusters)
        table = pd.DataFrame({"cluster": np.arange(partition.n_clusters), "size": sizes})
        for name in names:
            records = {each.cluster: each for each in records_of(walk, variant, name)}
            table[name] = [records[each].text if each in records else "" for each in table["cluster"]]
            if any(each.meanings for each in records.values()):
                table[f"{name}: meanings"] = _meanings(table["cluster"], records)
            for score in dict.fromkeys(score for each in records.values() for score in each.scores):
                values = [
                    records[each].scores.get(score) if each in records else None for each in table["cluster"]
                ]
                table[f"{name}: {score}"] = pd.Series(values, dtype="float64")
        yield analysis, table


def label_sheets(walk: Walk) -> Iterator[LabelSheet]:
    """The same tables with people's labels, as a page shows them where there are several labels or scores."""
    peoples = {people.of: people for people in people_of_walk(walk)}
    for analysis, table in label_tables(walk, walk.own):
        if analysis in peoples:
            _add_people(table, peoples[analysis])
        columns = tuple(str(name) for name in table)[2:]
        if len(columns) > 1:
            lines = tuple(
                tuple(None if cell == "" or cell != cell else cell for cell in line)
                for line in table.head(_MOST_LINES).itertuples(index=False, name=None)
            )
            said = frozenset(name for name in columns if table[name].dtype.kind not in "if")
            yield LabelSheet(analysis, columns, lines, said, left_out=len(table) - len(lines))


def _add_people(table: pd.DataFrame, people: People) -> None:
    """A column more for each author: the label, and how many meanings the cluster has."""
    for author in people.authors:
        said = {
            each.cluster: " · ".join(filter(None, (each.text, each.meanings)))
            for each in people.records
            if each.by == author
        }
        if said:
            table[f"{author} (person)"] = [said.get(each, "") for each in table["cluster"]]


def _meanings(clusters: Iterable[int], records: Mapping[int, LabelRecord]) -> list[str]:
    return [records[each].meanings if each in records else "" for each in clusters]


def _rule_record(entry: ClusterLabel, name: str, planned: PlannedLabel) -> LabelRecord:
    """The record of a label that a rule gave, which has its evidence in numbers."""
    evidence = f"fits {entry.share:.2f} of its held-out rows, {entry.lift:.2f} times as many as of all"
    return LabelRecord(
        cluster=entry.cluster,
        text=entry.text,
        labeler=name,
        kind=planned.label.kind(),
        made_of="rows of the naming half",
        note=evidence,
    )


def _scores_of(walk: Walk, variant: VariantPlan, label: str) -> Mapping[str, Mapping[int, float]]:
    """By score of the spec: the share of each cluster's items that the label is right of."""
    scores: dict[str, dict[int, float]] = {}
    for name, planned in variant.scores.items():
        column = f"right.{label}"
        table = walk.naming.scored(variant, name).tables.get("clusters")
        if label in planned.labels and table is not None and column in table:
            scores[name] = dict(zip(table["cluster"].tolist(), table[column].tolist(), strict=True))
    return scores
