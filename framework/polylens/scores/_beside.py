"""Clusters beside directions: row sets of as many rows, labelled by the same labelers, and the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int64

from polylens.clustering import medoids
from polylens.errors import DataError
from polylens.records import NOISE, Grouping, Number, Partition, count_clusters
from polylens.scores import Subject
from polylens.scores._trial import relabelled
from polylens.statistics import ItemMean, least_lead
from polylens.work import Work

CLUSTERS = "clusters"
COMPARED = "compared clusters"
"""The clusters that directions are compared with, where these are not all."""


def compared_subjects(subject: Subject, work: Work) -> dict[str, Subject]:
    """The row sets of each family of directions, with labels of the same labelers.

    The sets of a family are numbered as the clusters that they share the most rows with. Where there are
    fewer sets than clusters, the largest clusters are a subject of their own, labelled anew.

    Raises:
        DataError: rows have no activations that directions could be of.
    """
    if not subject.beside:
        return {}
    values = subject.rows.activations
    if values is None:
        raise DataError("directions needs activations")
    count = min(count_clusters(each.labels) for each in subject.beside.values())
    clusters = np.where(subject.partition.labels < count, subject.partition.labels, NOISE)
    subjects = {}
    if count < subject.partition.n_clusters:
        largest = replace(subject.partition, labels=clusters, exemplars=subject.partition.exemplars[:count])
        subjects[COMPARED] = relabelled(subject, replace(largest, hierarchy=None, alternatives=()), work)
    for family, grouping in subject.beside.items():
        own = aligned(np.asarray(grouping.labels), clusters)
        subjects[family] = relabelled(subject, _partition(own, values, family), work)
    return subjects


def aligned(
    labels: Int64[np.ndarray, "rows"], clusters: Int64[np.ndarray, "rows"]
) -> Int64[np.ndarray, "rows"]:
    """The sets with the numbers of the clusters that they are paired with, so that they share most rows.

    Args:
        labels: which set each row is in; -1 for none.
        clusters: which cluster; as many clusters as sets.

    Source: the linear assignment problem, by `scipy.optimize.linear_sum_assignment`.

    >>> aligned(np.array([1, 1, 0, -1]), np.array([0, 0, 1, 1])).tolist()
    [0, 0, 1, -1]
    """
    from scipy.optimize import linear_sum_assignment

    count = max(count_clusters(labels), count_clusters(clusters))
    both = (labels != NOISE) & (clusters != NOISE)
    shared = np.zeros((count, count))
    np.add.at(shared, (labels[both], clusters[both]), 1)
    number = np.append(linear_sum_assignment(-shared)[1], NOISE)
    return np.asarray(number[labels], dtype=np.int64)


def _partition(
    labels: Int64[np.ndarray, "rows"], values: Float32[np.ndarray, "rows width"], family: str
) -> Partition:
    return Partition(
        labels=labels,
        strength=(labels != NOISE).astype(np.float32),
        exemplars=medoids(np.asarray(values), labels=labels, metric="euclidean"),
        method=f"rows furthest along {family}",
    )


@dataclass(frozen=True)
class RowSets:
    """The score of one group of row sets: clusters, a family of directions, random rows."""

    mean: ItemMean | str
    """The score, or why there is none."""
    sets: int
    """How many row sets there are."""
    scored: int
    """How many of them are scored."""
    guess: float
    """How right who guesses is of an item."""


@dataclass(frozen=True)
class Compared:
    """What clusters and directions came to."""

    numbers: Mapping[str, Number]
    undefined: Mapping[str, str]
    lines: Sequence[Mapping[str, object]]
    """A line for the clusters and each group of row sets."""


def compare(groups: Mapping[str, RowSets], families: Mapping[str, Grouping], *, label: str = "") -> Compared:
    """The score of every family of directions, the clusters' lead over each, and the least of these.

    Where who guesses does better on the one than on the other, since there are fewer labels to choose from,
    there is no lead.

    Args:
        groups: the scores by group; `CLUSTERS` among them, and `COMPARED` where that is fewer clusters.
        families: the groups that are directions.
        label: name of the scored label in the spec; empty where clusters are scored without labels.
    """
    ending = f".{label}" if label else ""
    first = groups[COMPARED if COMPARED in groups else CLUSTERS]
    own = first.mean
    numbers: dict[str, Number] = {}
    undefined: dict[str, str] = {}
    leads: dict[str, Number] = {}
    for group in groups:
        mean = groups[group].mean
        name = "compared_clusters" if group == COMPARED else f"directions.{group}"
        if isinstance(mean, ItemMean) and group in (*families, COMPARED):
            chance = groups[group].guess
            numbers[f"{name}{ending}"] = replace(mean.number, chance=chance, chance_is="by guessing")
        if group not in families:
            continue
        if isinstance(own, ItemMean) and isinstance(mean, ItemMean) and first.guess != groups[group].guess:
            undefined[f"lead_over_{group}{ending}"] = (
                f"{groups[group].scored} sets of {group} are scored and {first.scored} clusters: who guesses "
                "among so few labels does not do equally well"
            )
        elif isinstance(own, ItemMean) and isinstance(mean, ItemMean):
            leads[group] = replace(own.lead_over(mean), chance_is="equally well named")
        else:
            undefined[f"lead_over_{group}{ending}"] = own if isinstance(own, str) else f"{group}: {mean}"
    numbers |= {f"lead_over_{family}{ending}": lead for family, lead in leads.items()}
    rivals = [lead for family, lead in leads.items() if not families[family].is_control]
    if rivals:
        numbers[f"least_lead{ending}"] = least_lead(rivals)
    else:
        undefined[f"least_lead{ending}"] = own if isinstance(own, str) else "no family can be compared"
    lines = [_line(label, name, group, leads.get(name)) for name, group in groups.items()]
    return Compared(numbers, undefined, lines)


def _line(label: str, name: str, group: RowSets, lead: Number | None) -> dict[str, object]:
    number = Number(np.nan) if isinstance(group.mean, str) else group.mean.number
    leading = Number(np.nan) if lead is None else lead
    return {
        "label": label,
        "row_sets": name,
        "sets": group.sets,
        "scored": group.scored,
        "value": number.value,
        "low": number.low,
        "high": number.high,
        "lead_of_clusters": leading.value,
        "lead_low": leading.low,
        "lead_high": leading.high,
    }
