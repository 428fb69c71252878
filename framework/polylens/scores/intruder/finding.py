"""Groups of members with one intruder, and how many a judge finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Int64

from polylens.judges import LETTERS, Judge, question
from polylens.labels._apart import rows_apart
from polylens.labels._class_names import teller
from polylens.labels._nearest import nearest_clusters
from polylens.records import Answer, Findings, Number, Partition, Question, Rows, Told
from polylens.scores import Subject
from polylens.scores._beside import CLUSTERS, RowSets, compare, compared_subjects
from polylens.scores._panel import NOT_ANSWERED, Panel
from polylens.scores._tables import prompt_table
from polylens.statistics import ItemMean, draw_rows, random_partition
from polylens.streams import Streams
from polylens.work import Work

if TYPE_CHECKING:
    from polylens.scores.intruder import Intruder

_TEMPLATE = (
    "All but one of these rows are of one group, which has something in common. Say which row does not "
    "belong. Each row has a letter. A row of text is one token with the text before and after it: what the "
    "group has in common is about the token where it stands. Rows that are images are attached in the order "
    "of their letters, or told by the classes that they are near to. Answer with the letter."
)


_RANDOM = "random rows"
_TOO_FEW = "no cluster has enough rows and examples, with other rows beside it"


@dataclass(frozen=True)
class Group:
    """Rows of one cluster with one of another among them."""

    cluster: int
    rows: tuple[int, ...]
    intruder: int
    """Place of the intruder among the rows."""
    is_near: bool
    """Whether the intruder is of the nearest cluster."""

    def question(self, shown: Callable[[int], Told]) -> Question:
        """What a judge is asked."""
        options = tuple(LETTERS[: len(self.rows)])
        return question(_TEMPLATE, self.rows, shown=shown, options=options, data={}, by_id=True)


def find_intruders(score: Intruder, judge: Judge, subject: Subject, work: Work) -> Findings:
    """The share of intruders that a judge finds, of clusters, of directions and of sets of random rows."""
    panel = Panel(judge, work)
    shown = teller(judge, subject.shown, subject.rows, subject.partition)
    partitions = {CLUSTERS: subject.partition}
    if score.random_rows and subject.partition.n_clusters:
        partitions[_RANDOM] = random_partition(subject.partition, work.streams)
    partitions |= {name: each.partition for name, each in compared_subjects(subject, work).items()}
    found: dict[str, RowSets] = {}
    tables, guess = [], 1 / (score.members + 1)
    for name, partition in partitions.items():
        # Equal row sets get equal groups, as of scores of labels.
        streams = work.streams.child(_RANDOM if name == _RANDOM else CLUSTERS)
        groups = make_groups(score, subject.rows, partition, streams)
        if not groups:
            found[name] = RowSets(_TOO_FEW, partition.n_clusters, 0, guess)
            continue
        answers = panel.ask([group.question(shown) for group in groups], title=f"intruders, {name}")
        table = _item_table(name, groups, answers, subject.rows)
        tables.append(table)
        if not any(table["answer"]):
            found[name] = RowSets(NOT_ANSWERED, partition.n_clusters, table["cluster"].nunique(), guess)
            continue
        # Clusters are drawn again and not examples, which several groups share.
        mean = ItemMean.of_shares(table["right"].to_numpy(), example=table["cluster"].to_numpy())
        found[name] = RowSets(mean, partition.n_clusters, table["cluster"].nunique(), guess)
    numbers, undefined = _numbers(found, size=score.members + 1)
    tables_of = {"prompts": prompt_table("intruder", _TEMPLATE)}
    if tables:
        tables_of["items"] = pd.concat(tables, ignore_index=True)
    if subject.beside:
        compared = compare(found, subject.beside)
        numbers |= compared.numbers
        undefined |= compared.undefined
        tables_of["beside"] = pd.DataFrame(compared.lines)
    return Findings(
        numbers={**numbers, **panel.numbers()},
        tables=tables_of,
        undefined=undefined,
        notes=(*_notes(score, found[CLUSTERS]), panel.note()),
    )


def _notes(score: Intruder, clusters: RowSets) -> tuple[str, ...]:
    left_out = clusters.sets - clusters.scored
    if not left_out:
        return ()
    return (
        f"{left_out} of {clusters.sets} clusters are not scored: they have fewer than {2 * score.members} "
        f"rows, or rows of fewer than {score.members} examples, or there are no rows beside them.",
    )


def _item_table(
    name: str,
    groups: Sequence[Group],
    answers: Sequence[Answer | None],
    rows: Rows,
) -> pd.DataFrame:
    """One line a group of rows: what it holds, what was answered, and how right that is."""
    chosen = [None if answer is None else answer.chosen for answer in answers]
    return pd.DataFrame(
        {
            "group": name,
            "cluster": [group.cluster for group in groups],
            "intruder_is": ["nearest" if group.is_near else "elsewhere" for group in groups],
            "examples": [_examples(group, rows) for group in groups],
            "intruder": [LETTERS[group.intruder] for group in groups],
            "outcome": ["" if answer is None else answer.outcome for answer in answers],
            "answer": [letter or "" for letter in chosen],
            "right": [
                1 / len(group.rows) if letter is None else float(LETTERS.index(letter) == group.intruder)
                for letter, group in zip(chosen, groups, strict=True)
            ],
        }
    )


def make_groups(score: Intruder, rows: Rows, partition: Partition, streams: Streams) -> list[Group]:
    """The groups of every cluster that has enough rows, and others beside it.

    Args:
        score: how many, and how large.
        rows: that were partitioned.
        partition: the clusters.
        streams: draws the groups.
    """
    labels, block = np.asarray(partition.labels), rows.origins.block
    nearest = nearest_clusters(rows, partition)
    groups = []
    for cluster in range(partition.n_clusters):
        members = np.flatnonzero(labels == cluster)
        apart = rows_apart(rows, partition, cluster)
        is_near = apart & (labels == nearest[cluster, 0]) if nearest.shape[1] else np.zeros_like(apart)
        near, others = np.flatnonzero(is_near), np.flatnonzero(apart & ~is_near)
        # With fewer examples, members would be alike in what they are of, and not in what they are.
        n_examples = len(np.unique(block[members]))
        if len(members) < 2 * score.members or n_examples < score.members or not len(near) + len(others):
            continue
        for number in range(score.groups):
            generator = streams.generator("group", cluster, number)
            is_near = len(near) > 0 and (number % 2 == 0 or not len(others))
            intruder = int(generator.choice(near if is_near else others))
            drawn = draw_rows(members, block, score.members, generator)
            place = int(generator.integers(score.members + 1))
            groups.append(_group(cluster, drawn, intruder, place, is_near=is_near))
    return groups


def _group(
    cluster: int, members: Int64[np.ndarray, "members"], intruder: int, place: int, *, is_near: bool
) -> Group:
    each = members.tolist()
    return Group(cluster, (*each[:place], intruder, *each[place:]), place, is_near)


def _numbers(found: Mapping[str, RowSets], *, size: int) -> tuple[dict[str, Number], dict[str, str]]:
    """The share of intruders found, of clusters and of random rows, with limits over clusters."""
    numbers = {"scored_clusters": Number(float(found[CLUSTERS].scored), unit="clusters")}
    undefined: dict[str, str] = {}
    for group, name in ((CLUSTERS, "intruder"), (_RANDOM, "random_rows")):
        mean = found[group].mean if group in found else None
        if isinstance(mean, str):
            undefined[name] = mean
        elif mean is not None:
            meaning, chance_is = f"{mean.meaning}, by clusters", f"one of {size} rows by guessing"
            numbers[name] = replace(mean.number, interval=meaning, chance=1 / size, chance_is=chance_is)
    return numbers, undefined


def _examples(group: Group, rows: Rows) -> str:
    """The rows of a group, by letter."""
    origins = rows.origins
    return "; ".join(
        f"{letter}: {origins.example_ids[origins.example[row]]} {origins.position[row]}"
        for letter, row in zip(LETTERS, group.rows, strict=False)
    )
