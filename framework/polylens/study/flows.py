"""Where the rows of one clustering are in another one: over the rows that both sides have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from polylens.analyses.partition_agreement import PartitionAgreement
from polylens.analyses.partition_agreement.findings import partition_agreement_findings
from polylens.errors import PolylensError
from polylens.progress import Silent
from polylens.records import NOISE, Figure, Findings, Origins, Partition, Rows
from polylens.report import Flow, Group
from polylens.statistics import contingency
from polylens.streams import Streams
from polylens.study.sides import Side


class CannotMatchError(Exception):
    """No row of one side is a row of the other; its text says why."""


@dataclass(frozen=True)
class Matched:
    """The rows that both of two sides have."""

    first: Int64[np.ndarray, "shared"]
    """Row of the first side."""
    second: Int64[np.ndarray, "shared"]
    """Row of the second side, which is the same one."""
    how: str
    """What makes them the same, in a sentence part."""


def flows_between(first: Side, second: Side, *, letter: str) -> Iterator[Flow | str]:
    """The flow from each clustering of the first side into the second's, or a sentence on why there is none.

    Clusterings are paired by the name of their analysis; where no name is on both sides, and each side has a
    single one, those two are.
    """
    pairs = _pairs(first, second)
    if isinstance(pairs, str):
        yield pairs
        return
    try:
        rows = [_rows(side) for side in (first, second)]
        _check_examples(first, second)
        matched = match(rows[0].origins, rows[1].origins)
    except CannotMatchError as error:
        yield f"{letter}: rows cannot be followed: {error}"
        return
    except PolylensError as error:
        yield f"{letter}: rows cannot be followed: {error}"
        return
    for pair in pairs:
        try:
            yield _flow(first, second, pair, rows=rows, matched=matched, letter=letter)
        except PolylensError as error:
            yield f"{letter}: the clusters of {' and '.join(dict.fromkeys(pair))} are not compared: {error}"


def match(first: Origins, second: Origins) -> Matched:
    """The rows of two harvests of the same examples that are of one example and one position.

    Where the layers have other positions, rows are matched by example alone if each side has at most one row
    of an example.

    Raises:
        CannotMatchError: no row of one side can be told to be a row of the other.
    """
    if first.grid == second.grid:
        size = int(np.prod(first.grid, dtype=np.int64)) if first.grid else 1
        keys = [each.example * np.int64(size) + each.position for each in (first, second)]
        how = "by example and position" if first.grid else "by example: each row is a whole example"
    else:
        keys = [np.asarray(each.example) for each in (first, second)]
        if any(len(np.unique(each)) < len(each) for each in keys):
            raise CannotMatchError(
                f"they stand at positions of {_grid(first)} and of {_grid(second)}, several of an example: "
                "no position of one layer is a position of the other"
            )
        how = (
            f"by example alone: each side has one row of an example, of {_grid(first)} and of {_grid(second)}"
        )
    shared, of_first, of_second = np.intersect1d(*keys, return_indices=True)
    if not len(shared):
        raise CannotMatchError("no row is of the same example and position on both sides")
    return Matched(of_first.astype(np.int64), of_second.astype(np.int64), how)


def _grid(origins: Origins) -> str:
    return f"a grid of {' x '.join(map(str, origins.grid))}" if origins.grid else "whole examples"


def _check_examples(first: Side, second: Side) -> None:
    prints = [side.run.stored.fingerprint(side.variant, side.first_draw) for side in (first, second)]
    if prints[0] != prints[1]:
        limits = [side.run.params.get("limit", "no limit") for side in (first, second)]
        limited = f" (limits: {' and '.join(limits)})" if len(set(limits)) > 1 else ""
        raise CannotMatchError(
            "the two looked at other examples, or prepared them in another way: their fingerprints "
            f"{prints[0][:8]} and {prints[1][:8]} differ{limited}"
        )


def _rows(side: Side) -> Rows:
    """Where a side's rows come from, without their values."""
    rows = side.run.rows(variant=side.variant, draw=side.first_draw)
    return replace(rows, activations=None, codes=None)


def _pairs(first: Side, second: Side) -> list[tuple[str, str]] | str:
    names = [
        [
            name
            for name, analysis in side.run.analyses.items()
            if analysis.gives_partition and side.run.stored.has(name, side.variant, side.first_draw)
        ]
        for side in (first, second)
    ]
    both = [name for name in names[0] if name in names[1]]
    if both:
        return [(name, name) for name in both]
    if len(names[0]) == 1 and len(names[1]) == 1:
        return [(names[0][0], names[1][0])]
    lacking = [side.title for side, each in zip((first, second), names, strict=True) if not each]
    if lacking:
        return (
            f"no clusters are followed: {' and '.join(lacking)} {'has' if len(lacking) == 1 else 'have'} none"
        )
    return (
        f"no clusters are followed: no analysis that clusters has one name on both sides "
        f"({', '.join(names[0])}; {', '.join(names[1])})"
    )


def _flow(
    first: Side, second: Side, pair: tuple[str, str], *, rows: Sequence[Rows], matched: Matched, letter: str
) -> Flow:
    sides, indices = (first, second), (matched.first, matched.second)
    whole = [
        side.run.partition(name, variant=side.variant, draw=side.first_draw)
        for side, name in zip(sides, pair, strict=True)
    ]
    is_all = all(len(index) == len(each) for index, each in zip(indices, rows, strict=True))
    parts = [_restricted(part, index, is_all=is_all) for part, index in zip(whole, indices, strict=True)]
    findings = partition_agreement_findings(
        PartitionAgreement(of=("A", letter)),
        rows[0].take(matched.first),
        streams=Streams(int(first.run.spec["seed"])).child(PartitionAgreement.kind()),
        upstream={"A": Findings(partition=parts[0]), letter: Findings(partition=parts[1])},
        progress=Silent(),
    )
    groups = [
        _groups(side, name, part, n_clusters=each.n_clusters)
        for side, name, part, each in zip(sides, pair, parts, whole, strict=True)
    ]
    flow = Flow(
        letter=letter,
        analyses=pair,
        matched=matched.how,
        n_rows=len(matched.first),
        n_left_out=(len(rows[0]) - len(matched.first), len(rows[1]) - len(matched.second)),
        agreement=findings.numbers,
        counts=contingency(parts[0].labels, parts[1].labels),
        first=groups[0],
        second=groups[1],
    )
    return replace(flow, figure=_figure(flow, first, second))


def _restricted(partition: Partition, index: Int64[np.ndarray, "shared"], *, is_all: bool) -> Partition:
    """The partition on some rows; clusters keep their numbers, and what is of all rows alone goes."""
    return replace(
        partition,
        labels=partition.labels[index],
        strength=partition.strength[index],
        hierarchy=None,
        alternatives=partition.alternatives if is_all and bool((index[:-1] < index[1:]).all()) else (),
    )


def _groups(side: Side, analysis: str, part: Partition, *, n_clusters: int) -> tuple[Group, ...]:
    """The clusters that the counts have, by number, and the noise last where there is any."""
    names = _label_texts(side, analysis)
    shown = int(part.labels.max(initial=NOISE)) + 1
    sizes = np.bincount(part.labels[part.labels != NOISE], minlength=n_clusters)
    groups = [Group(str(number), names.get(number, ""), int(sizes[number])) for number in range(shown)]
    noise = int((part.labels == NOISE).sum())
    return (*groups, Group("noise", "", noise)) if noise else tuple(groups)


def _label_texts(side: Side, analysis: str) -> dict[int, str]:
    """What the side's labels call each cluster of an analysis; empty where nothing labels it."""
    for name, label in side.run.labels.items():
        if label.of == analysis and side.run.stored.has(name, side.variant, side.first_draw):
            labels = side.run.labels_of(name, variant=side.variant, draw=side.first_draw)
            return {entry.cluster: entry.text for entry in labels.clusters}
    return {}


def _figure(flow: Flow, first: Side, second: Side) -> Figure:
    from polylens.figures import flows

    names = " and ".join(dict.fromkeys(flow.analyses))
    return Figure(
        name=f"flow-{flow.letter}-{flow.analyses[0]}",
        title=f"Where the clusters of A go in {flow.letter}: {names}",
        caption=f"A: {first.title}. {flow.letter}: {second.title}. {flow.n_rows:,} rows that both have, "
        f"matched {flow.matched}. A band is as high as the rows it stands for.",
        png=flows(
            flow.counts,
            first=[group.words for group in flow.first],
            second=[group.words for group in flow.second],
            titles=("A", flow.letter),
        ),
        alt="Bars of clusters at the left and at the right, with bands between those that share rows; the "
        "table below has the numbers.",
    )
