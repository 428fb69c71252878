"""Cluster quality of the network beside a control's, on equal terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Int64

from polylens.analyses import Outcome
from polylens.records import Comparison, Pair, Partition, Rows
from polylens.statistics import Blocks, EqualCoverage, Firmness, equal_coverage, lead_number
from polylens.streams import Streams

_Classes = Callable[[Rows], Int64[np.ndarray, "rows"]]
"""The classes of any rows, those of the spec's own network exchanged by chance."""
_RESAMPLES = 200
"""Resamples of the examples, for the interval of a lead."""
_SHUFFLES = 50
"""Shuffles of classes over examples, for a lead by chance: finer clusters are purer without meaning."""


def quality_comparisons(
    own: Outcome, draws: Sequence[Outcome], *, of: str, streams: Streams
) -> dict[str, Comparison]:
    """Purity at equal coverage, and the share of all rows right, beside each draw of a control."""
    sides = [(each.rows, each.upstream[of].clusters(of, to="compare")) for each in (own, *draws)]
    mine, *theirs = (_firmness(rows, part, np.asarray(rows.targets)) for rows, part in sides)
    examples = np.unique(np.concatenate([rows.origins.block for rows, _ in sides]))
    n_numbers = int(examples.max(initial=-1)) + 1

    def resample(number: int) -> EqualCoverage:
        generator = streams.generator("comparison", "examples", number)
        drawn = generator.choice(examples, size=len(examples))
        times = np.bincount(drawn, minlength=n_numbers).astype(np.float64)
        return equal_coverage(mine, theirs, multiplicity=times)

    def shuffle(number: int) -> EqualCoverage:
        generator = streams.generator("comparison", "classes", number)
        relaid = _relaid_by_row if own.rows.by_row else _relaid_by_example
        classes_of = relaid(own.rows, generator)
        sides_by_chance = [_firmness(rows, part, classes_of(rows)) for rows, part in sides]
        return equal_coverage(sides_by_chance[0], sides_by_chance[1:])

    observed = equal_coverage(mine, theirs)
    again = [resample(number) for number in range(_RESAMPLES)]
    by_chance = [shuffle(number) for number in range(_SHUFFLES)]
    return {
        "purity": _purity(observed, again, by_chance, n_examples=len(examples)),
        "right_fraction": _right_fraction(observed, again, by_chance, n_examples=len(examples)),
    }


def _purity(
    observed: EqualCoverage,
    again: Sequence[EqualCoverage],
    by_chance: Sequence[EqualCoverage],
    *,
    n_examples: int,
) -> Comparison:
    known = observed.coverage > 0
    least = float(observed.coverage[known].min(initial=1.0))
    return Comparison(
        terms="of both the rows that are clustered most firmly, as many as the smaller coverage has",
        pairs=tuple(
            Pair(float(mine), float(theirs), float(covered)) if covered > 0 else None
            for mine, theirs, covered in zip(observed.own, observed.other, observed.coverage, strict=True)
        ),
        lead=lead_number(
            observed.own - observed.other,
            np.array([each.own - each.other for each in again]),
            by_chance=np.array([each.own - each.other for each in by_chance]),
            rows=max(least * n_examples, 1.0),
        ),
        why="" if known.all() else "no clusters",
    )


def _right_fraction(
    observed: EqualCoverage,
    again: Sequence[EqualCoverage],
    by_chance: Sequence[EqualCoverage],
    *,
    n_examples: int,
) -> Comparison:
    return Comparison(
        terms="of all rows, those in no cluster counted as wrong",
        pairs=tuple(
            Pair(float(mine), float(theirs))
            for mine, theirs in zip(observed.own_right, observed.other_right, strict=True)
        ),
        lead=lead_number(
            observed.own_right - observed.other_right,
            np.array([each.own_right - each.other_right for each in again]),
            by_chance=np.array([each.own_right - each.other_right for each in by_chance]),
            rows=float(max(n_examples, 1)),
        ),
    )


def _firmness(rows: Rows, partition: Partition, targets: Int64[np.ndarray, "rows"]) -> Firmness:
    return Firmness.of(partition, targets, example=np.asarray(rows.origins.block))


def _relaid_by_example(own: Rows, generator: np.random.Generator) -> _Classes:
    """Classes exchanged among the examples of these rows; a row of any other example keeps its own."""
    example = np.asarray(own.origins.block)
    classes = np.full(int(example.max(initial=-1)) + 1, -1, dtype=np.int64)
    classes[example] = Blocks.of(example).shuffled_classes(np.asarray(own.targets), generator)

    def classes_of(rows: Rows) -> Int64[np.ndarray, "rows"]:
        block = np.asarray(rows.origins.block)
        inside = block < len(classes)
        shuffled = np.where(inside, classes[np.where(inside, block, 0)], -1)
        return np.where(shuffled < 0, np.asarray(rows.targets), shuffled)

    return classes_of


def _relaid_by_row(own: Rows, generator: np.random.Generator) -> _Classes:
    """Classes of whole examples laid over other rows of these; a row that is none of them keeps its own."""
    relaid = np.asarray(own.targets)[Blocks.of(own.origins.block).relaid_rows(generator)]
    by_place = dict(zip(_places(own), relaid.tolist(), strict=True))

    def classes_of(rows: Rows) -> Int64[np.ndarray, "rows"]:
        kept = np.asarray(rows.targets).tolist()
        pairs = zip(_places(rows), kept, strict=True)
        return np.array([by_place.get(place, own_class) for place, own_class in pairs], dtype=np.int64)

    return classes_of


def _places(rows: Rows) -> list[tuple[int, int]]:
    """Example and position of each row."""
    return list(zip(rows.origins.example.tolist(), rows.origins.position.tolist(), strict=True))
