"""Naming clusters by classes that differ between the rows of one example, such as tags of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.records import count_clusters
from polylens.statistics.blocks import Blocks
from polylens.statistics.enrichment import UNNAMED, Enrichment, lift_of, of_name, share_of
from polylens.statistics.halves import split_examples
from polylens.statistics.shares import Shares
from polylens.streams import Streams


def enrich_rows(
    labels: Int64[np.ndarray, "rows"],
    targets: Int64[np.ndarray, "rows"],
    *,
    blocks: Blocks,
    n_classes: int,
    holdout: float,
    permutations: int,
    streams: Streams,
) -> Enrichment:
    """Names each cluster on some of the examples and scores the names on the others.

    Chance lays the classes of whole examples, in their order, over other rows of the same half, so neighbours
    stay neighbours and every class keeps its count. A cluster's name is the class that is above its mean
    under this by the largest likelihood ratio, `count * log(count / mean) - (count - mean)`: a rare class
    with one row in the cluster does not outdo a common one with most of them, as it would by standard
    deviations. The statistic of a name is its held-out count in standard deviations above its mean, both
    taken over the rounds and the rows as they are together, so that all of these are exchangeable.

    Args:
        labels: cluster of each row; noise takes part in the base rates only.
        targets: class of each row.
        blocks: the rows of each example.
        n_classes: how many classes there are.
        holdout: share of the examples kept for scoring, in (0, 1).
        permutations: rounds of naming and scoring on relaid classes. The maximum over clusters of each
            round's statistic is the family-wise null.
        streams: of the split and the rounds.

    Source: Dunning (1993) for the ratio; Westfall and Young (1993), single-step maxT.
    """
    split = split_examples(
        np.zeros(len(blocks), np.int64), holdout=holdout, generator=streams.generator("split")
    )
    held_out = split[blocks.block]
    n_clusters = count_clusters(labels)
    within = held_out.astype(np.int64)

    def rounds() -> Iterator[Int64[np.ndarray, "rows"]]:
        """The classes as they are, and then those of each round."""
        yield targets
        for number in range(permutations):
            yield targets[blocks.relaid_rows(streams.generator("documents", number), within=within)]

    naming, scoring = _halves(labels, held_out, rounds(), n_clusters=n_clusters, n_classes=n_classes)
    base = np.bincount(targets[held_out], minlength=n_classes) / max(int(held_out.sum()), 1)
    # Counted again round by round: kept, the counts of all rounds would take gigabytes.
    scores = [_score(naming, scoring, own, base) for own in rounds()]
    names, shares, lifts, statistics = (
        np.array(each).reshape(permutations + 1, n_clusters) for each in zip(*scores, strict=True)
    )
    counts = scoring.count(targets)
    name, size = names[0], np.maximum(counts.sum(1), 1)
    scored = np.flatnonzero(held_out & (labels >= 0) & (np.append(name, UNNAMED)[labels] >= 0))
    fits, example = targets[scored] == name[labels[scored]], blocks.block[scored]
    by_class = Shares.among(
        targets[held_out], blocks.block[held_out], rows=np.where(split, blocks.sizes, 0), count=n_classes
    )
    return Enrichment(
        name=name,
        naming_rows=naming.count(targets).sum(1),
        held_out=counts,
        base=base,
        statistic=statistics[0],
        expected=of_name(scoring.mean, name, missing=0.0) / size,
        spread=of_name(scoring.spread, name, missing=0.0) / size,
        null_share=shares[1:],
        null_lift=lifts[1:],
        null_statistic=statistics[1:],
        fitting=Shares.of(fits, example=example, group=labels[scored], count=n_clusters),
        fitting_any=by_class.at(np.maximum(name, 0)),
        fitting_together=Shares.of(fits, example=example),
    )


@dataclass(frozen=True)
class _Half:
    """One half of the rows, and how many of each cluster are of each class in all rounds."""

    cell: Int64[np.ndarray, "clustered"]
    """First cell of each clustered row's cluster in a flat table of clusters by classes."""
    rows: Int64[np.ndarray, "clustered"]
    shape: tuple[int, int]
    mean: Float64[np.ndarray, "clusters classes"]
    spread: Float64[np.ndarray, "clusters classes"]
    """Standard deviation."""

    def count(self, targets: Int64[np.ndarray, "rows"]) -> Int64[np.ndarray, "clusters classes"]:
        """Rows of each cluster and class."""
        flat = np.bincount(self.cell + targets[self.rows], minlength=self.shape[0] * self.shape[1])
        return flat.reshape(self.shape).astype(np.int64)


def _halves(
    labels: Int64[np.ndarray, "rows"],
    held_out: Bool[np.ndarray, "rows"],
    rounds: Iterable[Int64[np.ndarray, "rows"]],
    *,
    n_clusters: int,
    n_classes: int,
) -> tuple[_Half, _Half]:
    """The clustered rows of the naming and of the held-out half, and the moments of their counts over rounds
    of classes.
    """
    shape = (n_clusters, n_classes)
    halves = []
    for half in (~held_out, held_out):
        rows = np.flatnonzero(half & (labels >= 0)).astype(np.int64)
        halves.append(_Half(labels[rows] * n_classes, rows, shape, np.zeros(shape), np.zeros(shape)))
    total, squares, number = np.zeros((2, *shape), np.int64), np.zeros((2, *shape), np.int64), 0
    for targets in rounds:
        counts = np.stack([half.count(targets) for half in halves])
        total, squares, number = total + counts, squares + counts**2, number + 1
    # Of whole numbers, so that a count that never changes has a spread of exactly 0.
    spread = np.sqrt((number * squares - total**2) / number**2)
    naming, scoring = (
        replace(half, mean=total[which] / number, spread=spread[which]) for which, half in enumerate(halves)
    )
    return naming, scoring


def _score(
    naming: _Half,
    scoring: _Half,
    targets: Int64[np.ndarray, "rows"],
    base: Float64[np.ndarray, "classes"],
) -> tuple[
    Int64[np.ndarray, "clusters"],
    Float64[np.ndarray, "clusters"],
    Float64[np.ndarray, "clusters"],
    Float64[np.ndarray, "clusters"],
]:
    """The names that clusters get by these classes, with share, lift and statistic of each."""
    name = _name(naming.count(targets), naming.mean)
    counts = scoring.count(targets)
    share = share_of(counts, name)
    above = np.divide(
        counts - scoring.mean, scoring.spread, out=np.zeros(counts.shape), where=scoring.spread > 0
    )
    return name, share, lift_of(share, base, name), of_name(above, name, missing=0.0)


def _name(
    counts: Int64[np.ndarray, "clusters classes"], mean: Float64[np.ndarray, "clusters classes"]
) -> Int64[np.ndarray, "clusters"]:
    """The class of each cluster; `UNNAMED` where the cluster has no rows to be named by."""
    more = counts > mean
    ratio = np.divide(counts, mean, out=np.ones(counts.shape), where=more)
    evidence = np.where(more, counts * np.log(ratio) - (counts - mean), -np.inf)
    # A cluster that holds of no class more than its mean is named by its most common one.
    name = np.where(more.any(1), evidence.argmax(1), counts.argmax(1))
    return np.where(counts.sum(1) == 0, UNNAMED, name).astype(np.int64)
