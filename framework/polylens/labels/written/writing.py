"""What a judge is shown of each cluster, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from jaxtyping import Int64

from polylens.errors import DataError
from polylens.judges import Tally, ask, row_as_data
from polylens.labels._apart import rows_apart, shows_wholes
from polylens.labels._class_names import teller
from polylens.labels._members import draw_members
from polylens.labels._nearest import nearest_clusters
from polylens.labels.written.raised import Raised, raised_tokens
from polylens.records import (
    Answer,
    Context,
    LabelRecord,
    Labels,
    Meanings,
    Number,
    Partition,
    Question,
    Rows,
    Sentence,
    Told,
)
from polylens.statistics import draw_rows
from polylens.work import Work

if TYPE_CHECKING:
    from polylens.labels.written import Written

_NEAR = 3
"""How many of the nearest clusters contrast rows are of."""
_NOT_RAISED = (
    "The writer is not told which tokens members raise: the network has no unembedding (its output is no "
    "logits of the vocabulary's tokens)."
)
_TEMPLATE = (
    "You are shown rows of data that a method put into one group, and other rows that it did not. Say in a "
    "few words what the rows of the group have in common and the others have not. A row of text is one token "
    "with the text before and after it: what matters is the token where it stands. Rows that are images are "
    "attached, those of the group first, or told by the classes that they are near to. `raises`, where it "
    "stands, are tokens that the network makes likelier at rows of the group than elsewhere. `label` is what "
    "they have in common; `meanings` is one where one thing explains the group, several where it holds "
    "several kinds, unclear where nothing is seen; `why` is one sentence."
)


@dataclass(frozen=True)
class Sample:
    """The rows that a judge is shown of one cluster in one draw."""

    cluster: int
    draw: int
    group: Int64[np.ndarray, "group"]
    others: Int64[np.ndarray, "others"]

    def question(self, shown: Callable[[int], Told], *, raises: Sequence[str], words: int) -> Question:
        """What the judge is asked.

        Args:
            shown: what it is told of a row.
            raises: tokens that rows of the group raise most; none where that is not known.
            words: of the label, at most.
        """
        seen = [shown(row) for row in (*self.group.tolist(), *self.others.tolist())]
        plain = [row_as_data(each) for each in seen]
        data: dict[str, Any] = {"group": plain[: len(self.group)], "others": plain[len(self.group) :]}
        if raises:
            data["raises"] = list(raises)
        images = tuple(each.png for each in seen if isinstance(each, Context))
        return Question(_TEMPLATE, data, Sentence(words), images)


def written_labels(label: Written, rows: Rows, partition: Partition, work: Work) -> Labels:
    """A label for every cluster with rows in the writing half, and what became of every question.

    Raises:
        DataError: there is nothing to show of rows, or nobody can answer.
    """
    shown = work.shown
    if shown is None:
        raise DataError("there is nothing to show a judge of these rows", hint="give `work` a `shown`")
    asked = choose_shown(label, rows, partition, work)
    told = teller(label.judge, shown, rows, partition)
    raised = _find_raised(label, rows, partition, work)
    raises = [[] if raised is None else raised.texts(each.cluster, rows) for each in asked]
    found = ask(
        label.judge,
        [each.question(told, raises=raises[place], words=label.words) for place, each in enumerate(asked)],
        judging=work.judging,
        progress=work.progress,
        title="writing labels",
    )
    answers = {(each.cluster, each.draw): answer for each, answer in zip(asked, found.answers, strict=True)}
    first = [each for each in asked if each.draw == 0]
    records = tuple(_record(each, answers[each.cluster, 0], label) for each in first)
    numbers, undefined = _numbers(records, answers, draws=label.draws)
    notes = _notes(label, found.tally, rows, unasked=partition.n_clusters - len(first))
    if raised is None and label.raised and rows.tokens is not None and work.source is not None:
        notes.append(_NOT_RAISED)
    return Labels(
        clusters=(),
        numbers={**numbers, **found.tally.numbers()},
        tables={
            "clusters": _cluster_table(records, answers, partition, draws=label.draws),
            "shown": _shown_table(asked, rows),
            "prompts": pd.DataFrame({"prompt": ["written"], "text": [_TEMPLATE]}),
            **({} if raised is None else {"raised": raised.table(rows)}),
        },
        notes=tuple(notes),
        undefined=undefined,
        written=records,
    )


def _notes(label: Written, tally: Tally, rows: Rows, *, unasked: int) -> list[str]:
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in tally.counts.items())
    notes = [f"Labels in words by a judge ({label.judge.kind()}): {counts}. They are claims, to be scored."]
    if unasked:
        notes.append(f"{unasked} clusters have no rows in the writing half and get no label.")
    if shows_wholes(rows):
        notes.append("Rows are positions of images here, and the writer is shown whole images.")
    return notes


def _find_raised(label: Written, rows: Rows, partition: Partition, work: Work) -> Raised | None:
    """The tokens that each cluster raises; None where none are asked for, or nothing says which."""
    if work.source is None or not label.raised:
        return None
    return raised_tokens(
        rows,
        partition,
        ~label.held_out(rows, work.streams),
        source=work.source,
        most=label.raised,
        progress=work.progress,
    )


def choose_shown(label: Written, rows: Rows, partition: Partition, work: Work) -> list[Sample]:
    """The rows that are shown of each cluster, draw by draw, all of the writing half."""
    labels, block = np.asarray(partition.labels), rows.origins.block
    naming = ~label.held_out(rows, work.streams)
    nearest = nearest_clusters(rows, partition)
    chosen = []
    for cluster in range(partition.n_clusters):
        members = np.flatnonzero(naming & (labels == cluster))
        if not len(members):
            continue
        apart = naming & rows_apart(rows, partition, cluster)
        is_near = apart & np.isin(labels, nearest[cluster, :_NEAR]) & (labels >= 0)
        near, far = np.flatnonzero(is_near), np.flatnonzero(apart & ~is_near)
        for draw in range(label.draws):
            generator = work.streams.generator("shown", cluster, draw)
            group = draw_members(members, partition.strength, block, label.rows, generator)
            close = draw_rows(near, block, label.contrast // 2, generator)
            other = draw_rows(far, block, label.contrast - len(close), generator)
            others = np.concatenate([close, other])
            chosen.append(Sample(cluster, draw, generator.permutation(group), generator.permutation(others)))
    return chosen


def _record(shown: Sample, answer: Answer, label: Written) -> LabelRecord:
    value = answer.value or {}
    return LabelRecord(
        cluster=shown.cluster,
        text=value.get("label", ""),
        labeler="",
        kind=label.kind(),
        outcome=answer.outcome,
        meanings=cast("Meanings", value.get("meanings", "")),
        made_of=f"{len(shown.group)} rows, {len(shown.others)} contrast rows",
        note=value.get("why", "") if answer.value else answer.said,
        by=answer.model or label.judge.kind(),
        at=datetime.now(UTC).date().isoformat(),
    )


def _numbers(
    records: Sequence[LabelRecord], answers: dict[tuple[int, int], Answer], *, draws: int
) -> tuple[dict[str, Number], dict[str, str]]:
    """How many clusters got a label, how many one meaning, and how much labels hang on the rows shown."""
    texts = [each for each in records if each.text]
    if not records:
        return {}, dict.fromkeys(("labelled_fraction", "one_meaning", "same_words"), "no clusters")
    numbers = {"labelled_fraction": Number(len(texts) / len(records))}
    undefined: dict[str, str] = {}
    if texts:
        numbers["one_meaning"] = Number(sum(each.meanings == "one" for each in texts) / len(texts))
    else:
        undefined["one_meaning"] = "no cluster got a label"
    shared = [
        same_words(each.text, other)
        for each in texts
        for draw in range(1, draws)
        if (other := _label(answers[each.cluster, draw]))
    ]
    if shared:
        numbers["same_words"] = Number(float(np.mean(shared)))
    else:
        undefined["same_words"] = "no cluster got two labels"
    return numbers, undefined


def same_words(one: str, other: str) -> float:
    """Share of the words of two labels that are in both.

    >>> same_words("names of months", "Months of the year")
    0.4
    """
    first, second = set(one.lower().split()), set(other.lower().split())
    return len(first & second) / len(first | second)


def _label(answer: Answer) -> str:
    return "" if answer.value is None else answer.value["label"]


def _cluster_table(
    records: Sequence[LabelRecord],
    answers: dict[tuple[int, int], Answer],
    partition: Partition,
    *,
    draws: int,
) -> pd.DataFrame:
    """One line a cluster: label, meanings, why, what became of the question, and what other draws say."""
    labels = np.asarray(partition.labels)
    sizes = np.bincount(labels[labels >= 0], minlength=partition.n_clusters)
    columns = ("cluster", "text", "meanings", "note", "outcome", "made_of", "by", "at")
    table = pd.DataFrame(
        [[getattr(each, name) for name in columns] for each in records], columns=list(columns)
    )
    table.insert(1, "size", sizes[table["cluster"].to_numpy(dtype=np.int64)])
    for draw in range(1, draws):
        table[f"text_{draw + 1}"] = [_label(answers[each.cluster, draw]) for each in records]
    return table


def _shown_table(asked: Sequence[Sample], rows: Rows) -> pd.DataFrame:
    """One line for each row that the judge was shown."""
    origins = rows.origins
    lines = [
        (each.cluster, each.draw + 1, part, origins.example_ids[origins.example[row]], origins.position[row])
        for each in asked
        for part, chosen in (("group", each.group), ("others", each.others))
        for row in chosen.tolist()
    ]
    return pd.DataFrame(lines, columns=["cluster", "draw", "part", "example", "position"])
