"""Sheets for people: the clusters of a run; or these, controls' and random rows, told by nothing apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from polylens.analyses import NETWORK
from polylens.annotation import Sheet, SheetLine, cluster_id, item_id
from polylens.errors import UsageError
from polylens.labels._members import draw_members
from polylens.records import Labels, Shown, TokenContext
from polylens.statistics import draw_rows, random_partition
from polylens.streams import Streams
from polylens.study.people.said import RANDOM
from polylens.study.people.subject import Clusters, PeopleSubject, in_words


@dataclass(frozen=True)
class Handout:
    """A sheet, what its lines show, and what they stand for."""

    sheet: Sheet
    shown: tuple[tuple[Shown, ...], ...]
    """What each line shows: texts, or pictures."""
    key: Mapping[str, Any]
    """What each line stands for: plain data for the store, and for nobody who fills the sheet."""
    left_out: Mapping[str, int]
    """How many clusters are not on the sheet, by why."""


def open_sheet(subject: PeopleSubject, *, n_rows: int) -> Handout:
    """Every cluster of the network with its labels; half of the rows are firm members, the others at random.

    Args:
        subject: the clusters.
        n_rows: rows that are shown of each, at most.

    Raises:
        UsageError: there are no clusters.
    """
    own, shown_of = subject.own, subject.shown(subject.own.rows)
    texts = {name: _texts(each) for name, each in subject.labels().items()}
    labels = np.asarray(own.partition.labels)
    sizes = np.bincount(labels[labels >= 0], minlength=own.partition.n_clusters)
    lines: list[SheetLine] = []
    items: dict[str, dict[str, Any]] = {}
    shown: list[tuple[Shown, ...]] = []
    for cluster, members in enumerate(_naming_members(own)):
        if not len(members):
            continue
        generator = subject.streams.generator("sheet", cluster)
        chosen = draw_members(members, own.partition.strength, own.rows.origins.block, n_rows, generator)
        rows = tuple(shown_of(row) for row in chosen.tolist())
        line = SheetLine(
            id=cluster_id(subject.digest, own.held_out, cluster),
            shown=tuple(map(in_words, rows)),
            cluster=cluster,
            size=int(sizes[cluster]),
            labels={name: by_cluster.get(cluster, "") for name, by_cluster in texts.items()},
        )
        items[line.id] = {"side": NETWORK, "draw": 1, "cluster": cluster, "id": line.id}
        lines.append(line)
        shown.append(rows)
    name = item_id([subject.digest, "sheet", subject.streams.seed])
    left_out = {"without rows in the half that people are shown": len(sizes) - len(lines)}
    return _handout(subject, name, lines, shown, items, left_out=left_out, blind=False)


def blind_sheet(subject: PeopleSubject, *, n_rows: int, most: int) -> Handout:
    """Clusters of the network and of every control, and sets of random rows as large as the network's.

    Nothing on a line tells its side: each shows as many rows, each row of another example, in an order and
    under an id drawn at random, and neither number nor size nor label.

    Args:
        subject: the clusters.
        n_rows: rows that each line shows; clusters with rows of fewer examples are left out.
        most: lines of each side at most, drawn at random.

    Raises:
        UsageError: no cluster of the network, or of no other side, has so many rows to show.
    """
    streams = subject.streams.child("blind", n_rows, most)
    generator = streams.generator("order")
    left_out: dict[str, int] = {}
    found: list[tuple[str, int, int, tuple[Shown, ...]]] = []
    for side, draws in _sides(subject, streams):
        fitting = [
            (draw, cluster, members, clusters)
            for draw, clusters in draws
            for cluster, members in enumerate(_naming_members(clusters))
            if _n_examples(members, clusters) >= n_rows
        ]
        total = sum(clusters.partition.n_clusters for _, clusters in draws)
        if total > len(fitting):
            left_out[f"of {side} with rows of fewer than {n_rows} examples to show"] = total - len(fitting)
        for place in streams.generator(side).permutation(len(fitting))[:most].tolist():
            draw, cluster, members, clusters = fitting[place]
            own = streams.generator(side, draw, cluster)
            chosen = draw_rows(members, clusters.rows.origins.block, n_rows, own)
            shown_of = subject.shown(clusters.rows)
            found.append((side, draw, cluster, tuple(shown_of(row) for row in chosen.tolist())))
    sides = {side for side, *_ in found}
    if NETWORK not in sides or len(sides) < 2:
        raise UsageError(
            f"a blind sheet compares sides, and too few have clusters with rows of {n_rows} examples to show",
            hint="show fewer rows of each: --rows",
        )
    secret = int(generator.integers(2**62))
    lines: list[SheetLine] = []
    items: dict[str, dict[str, Any]] = {}
    shown: list[tuple[Shown, ...]] = []
    for number in generator.permutation(len(found)).tolist():
        side, draw, cluster, rows = found[number]
        # The name of a picture may say what it shows; texts are all that there is to see.
        texts = tuple(in_words(each) for each in rows if isinstance(each, TokenContext))
        line = SheetLine(item_id([secret, number]), texts)
        items[line.id] = {"side": side, "draw": draw, "cluster": cluster}
        if side == NETWORK:
            items[line.id]["id"] = cluster_id(subject.digest, subject.own.held_out, cluster)
        lines.append(line)
        shown.append(rows)
    return _handout(subject, item_id([secret]), lines, shown, items, left_out=left_out, blind=True)


def _handout(
    subject: PeopleSubject,
    name: str,
    lines: Sequence[SheetLine],
    shown: Sequence[tuple[Shown, ...]],
    items: Mapping[str, Mapping[str, Any]],
    *,
    left_out: Mapping[str, int],
    blind: bool,
) -> Handout:
    if not lines:
        raise UsageError(
            f"the run '{subject.run.name}' has no clusters of '{subject.of}' with enough rows to show",
            hint="fewer rows a line (--rows) may help" if blind else None,
        )
    stages = subject.run.stored.stages
    key = {
        "schema": 1,
        "name": name,
        "run": subject.identity(),
        "of": subject.of,
        "clusters": subject.digest,
        "n_clusters": subject.own.partition.n_clusters,
        "blind": blind,
        "labels": {label: stages[label] for label in subject.labels()},
        "items": dict(items),
    }
    sheet = Sheet(name, subject.run.name, subject.of, tuple(lines))
    return Handout(sheet, tuple(shown), key, {what: count for what, count in left_out.items() if count})


def _sides(subject: PeopleSubject, streams: Streams) -> Iterator[tuple[str, list[tuple[int, Clusters]]]]:
    """Each side with its draws: the network, every control that has the analysis, and random rows."""
    own, stored = subject.own, subject.run.stored
    for variant in stored.variants():
        if variant == NETWORK:
            yield variant, [(1, own)]
        elif stored.has(subject.of, variant):
            draws = range(1, stored.draws(variant) + 1)
            yield variant, [(draw, subject.clusters(variant, draw)) for draw in draws]
    drawn = random_partition(own.partition, streams)
    yield RANDOM, [(1, Clusters(own.rows, drawn, own.held_out))]


def _naming_members(clusters: Clusters) -> Iterator[Int64[np.ndarray, "members"]]:
    """The rows of each cluster that people may be shown."""
    labels, naming = np.asarray(clusters.partition.labels), ~clusters.held_out
    for cluster in range(clusters.partition.n_clusters):
        yield np.flatnonzero(naming & (labels == cluster))


def _n_examples(members: Int64[np.ndarray, "members"], clusters: Clusters) -> int:
    return len(np.unique(clusters.rows.origins.block[members]))


def _texts(labels: Labels) -> dict[int, str]:
    """What each cluster is called, as people are shown it."""
    by_rule = {each.cluster: each.text for each in labels.clusters}
    return by_rule | {each.cluster: each.text for each in labels.written}
