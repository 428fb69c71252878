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
        matched = match(rows[0], rows[1], by_id=_is_by_id(first, second, rows[0].origins.grid))
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


def match(first: Rows, second: Rows, *, by_id: bool) -> Matched:
    """The rows of two harvests that are of one example and one position.

    Where the layers have other positions, rows are matched by example alone if each side has at most one row
    of an example.

    Args:
        first: rows of one side.
        second: rows of the other.
        by_id: examples are told by their ids, and not by their numbers: the two took other examples of one
            dataset.

    Raises:
        CannotMatchError: no row of one side can be told to be a row of the other.
    """
    examples = (np.asarray(first.origins.example), np.asarray(second.origins.example))
    if by_id:
        number_of = {name: number for number, name in enumerate(first.origins.example_ids)}
        numbers = np.array([number_of.get(name, -1) for name in second.origins.example_ids], dtype=np.int64)
        examples = (examples[0], numbers[examples[1]])
    keys, how = _keys(first.origins, second.origins, examples)
    known = np.flatnonzero(examples[1] >= 0)
    shared, of_first, of_known = np.intersect1d(keys[0], keys[1][known], return_indices=True)
    if not len(shared):
        raise CannotMatchError("no row is of the same example and position on both sides")
    matched = Matched(of_first.astype(np.int64), known[of_known].astype(np.int64), how)
    if not by_id:
        return matched
    _check_classes(first, second, matched)
    return replace(
        matched, how=f"{how}; examples by their ids, as the two took other examples of one dataset"
    )


def _keys(
    first: Origins, second: Origins, examples: tuple[Int64[np.ndarray, "rows"], Int64[np.ndarray, "others"]]
) -> tuple[list[Int64[np.ndarray, "rows"]], str]:
    """A number for each row, the same for the same row of both sides, and what it stands for."""
    if first.grid == second.grid:
        size = int(np.prod(first.grid, dtype=np.int64)) if first.grid else 1
        positions = (first.position, second.position)
        keys = [each * size + position for each, position in zip(examples, positions, strict=True)]
        return keys, "by example and position" if first.grid else "by example: each row is a whole example"
    grids = [_grid(first), _grid(second)]
    if any(len(np.unique(each)) < len(each) for each in (first.example, second.example)):
        raise CannotMatchError(
            f"they stand at positions of {grids[0]} and of {grids[1]}, several of an example: no position of "
            "one layer is a position of the other"
        )
    how = f"by example alone: each side has one row of an example, of {grids[0]} and of {grids[1]}"
    return [*examples], how


def _check_classes(first: Rows, second: Rows, matched: Matched) -> None:
    """Refuses ids that stand for examples of other classes on the two sides."""
    if first.targets is None or second.targets is None:
        return
    pairs = zip(first.targets[matched.first], second.targets[matched.second], strict=True)
    others = sum(first.classes[left] != second.classes[right] for left, right in pairs)
    if others:
        raise CannotMatchError(
            f"{others} of {len(matched.first)} examples with one id are of other classes on the two sides: "
            "the dataset has changed in between"
        )


def _grid(origins: Origins) -> str:
    return f"a grid of {' x '.join(map(str, origins.grid))}" if origins.grid else "whole examples"


def _is_by_id(first: Side, second: Side, grid: Sequence[int]) -> bool:
    """Whether the two took other examples of one dataset, such as those of another seed.

    Args:
        first: one side.
        second: the other.
        grid: extent of the first side's positions; empty where a row is a whole example.

    Raises:
        CannotMatchError: they are of different datasets, or have positions that different models prepared.
    """
    prints = [side.run.stored.fingerprint(side.variant, side.first_draw) for side in (first, second)]
    if prints[0] == prints[1]:
        return False
    if first.run.spec["dataset"] != second.run.spec["dataset"]:
        raise CannotMatchError("the two looked at different datasets")
    if grid and first.run.spec["model"] != second.run.spec["model"]:
        # A token of one tokenizer is none of another, and other crops of an image have other places.
        raise CannotMatchError(
            "examples were prepared for different models, so that a position of one is none of the other"
        )
    return True


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
        side.run.stored.partition(name, side.variant, side.first_draw)
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
    for name, label in side.run.label_kinds.items():
        if label.of == analysis and side.run.stored.has(name, side.variant, side.first_draw):
            labels = side.run.stored.labels(name, side.variant, side.first_draw)
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
