"""Naming clusters by the class they hold too much of, and testing the names on other examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import count_clusters
from polylens.statistics.blocks import Blocks
from polylens.statistics.evidence import Evidence
from polylens.statistics.halves import Half, split_examples
from polylens.statistics.shares import Shares
from polylens.streams import Streams

UNNAMED = -1
"""The name of a cluster none of whose rows were there to name it by."""


@dataclass(frozen=True)
class Enrichment(Evidence):
    """How well each cluster's class, found on one half of the examples, fits the other half."""

    name: Int64[np.ndarray, "clusters"]
    """Class each cluster is named by; -1 where the naming half has none of its rows."""
    held_out: Int64[np.ndarray, "clusters classes"]
    """Rows of the cluster in the scoring half, by class."""
    base: Float64[np.ndarray, "classes"]
    """Share of each class among all rows of the scoring half."""
    expected: Float64[np.ndarray, "clusters"]
    """Mean of the held-out share of the name under shuffling."""
    spread: Float64[np.ndarray, "clusters"]
    """Standard deviation of the held-out share of the name under shuffling."""

    @property
    def held_out_rows(self) -> Int64[np.ndarray, "clusters"]:
        """Rows of each cluster in the scoring half."""
        return np.asarray(self.held_out.sum(1))

    @property
    def share(self) -> Float64[np.ndarray, "clusters"]:
        """Share of each cluster's held-out rows that its name fits; NaN where there are none."""
        return share_of(self.held_out, self.name)

    @property
    def lift(self) -> Float64[np.ndarray, "clusters"]:
        """`share` over the share that the name has of all held-out rows."""
        return lift_of(self.share, self.base, self.name)

    def chance_lift(self, level: float) -> Float64[np.ndarray, "clusters"]:
        """The lift a cluster of this size must exceed to be significant at `level`; 0 where unscored."""
        share = np.minimum(self.expected + self.critical(level) * self.spread, 1.0)
        return np.asarray(np.nan_to_num(lift_of(share, self.base, self.name), nan=0.0))


def enrich(
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

    A cluster's name is the class with the highest standardised share among its naming rows: (rows of the
    class - their mean under shuffling) / their standard deviation under shuffling. It allows for the
    cluster's size, for how common the class is, and for rows of one example that fall into the cluster
    together.

    Args:
        labels: cluster of each row; noise takes part in the base rates only.
        targets: class of each row's example.
        blocks: the rows of each example.
        n_classes: how many classes there are.
        holdout: share of each class's examples kept for scoring, in (0, 1).
        permutations: rounds of naming and scoring on shuffled classes. The maximum over clusters of each
            round's standardised held-out share is the family-wise null.
        streams: of the split and the shuffles.

    Source: Westfall and Young (1993), single-step maxT.
    """
    classes = targets[blocks.first]
    held_out = split_examples(classes, holdout=holdout, generator=streams.generator("split"))
    n_clusters = count_clusters(labels)
    naming = Half.of(labels, blocks, ~held_out, n_clusters=n_clusters)
    scoring = Half.of(labels, blocks, held_out, n_clusters=n_clusters)

    name = _name_clusters(naming, classes, n_classes)
    counts = scoring.by_class(classes, n_classes=n_classes)
    mean, deviation = scoring.moments(classes, n_classes=n_classes)
    size = np.maximum(scoring.rows, 1)

    null = [
        _score_shuffled(
            naming, scoring, targets, blocks, n_classes, generator=streams.generator("classes", number)
        )
        for number in range(permutations)
    ]
    own = classes[blocks.block]
    scored = np.flatnonzero(held_out[blocks.block] & (labels >= 0) & (np.append(name, UNNAMED)[labels] >= 0))
    fits, example = own[scored] == name[labels[scored]], blocks.block[scored]
    heard = held_out[blocks.block]
    by_class = Shares.among(
        own[heard], blocks.block[heard], rows=np.where(held_out, blocks.sizes, 0), count=n_classes
    )

    return Enrichment(
        name=name,
        naming_rows=naming.rows,
        held_out=counts,
        base=scoring.base(classes, n_classes=n_classes),
        statistic=_score_names(scoring, classes, name, n_classes)[2],
        expected=of_name(mean, name, missing=0.0) / size,
        spread=of_name(deviation, name, missing=0.0) / size,
        null_share=np.array([share for share, _, _ in null]).reshape(permutations, n_clusters),
        null_lift=np.array([lift for _, lift, _ in null]).reshape(permutations, n_clusters),
        null_statistic=np.array([statistic for _, _, statistic in null]).reshape(permutations, n_clusters),
        fitting=Shares.of(fits, example=example, group=labels[scored], count=n_clusters),
        fitting_any=by_class.at(np.maximum(name, 0)),
        fitting_together=Shares.of(fits, example=example),
    )


def _name_clusters(
    naming: Half, classes: Int64[np.ndarray, "blocks"], n_classes: int
) -> Int64[np.ndarray, "clusters"]:
    counts = naming.by_class(classes, n_classes=n_classes)
    name = naming.standardise(counts, classes, n_classes=n_classes).argmax(1).astype(np.int64)
    return np.where(counts.sum(1) == 0, UNNAMED, name)


def _score_names(
    scoring: Half, classes: Int64[np.ndarray, "blocks"], name: Int64[np.ndarray, "clusters"], n_classes: int
) -> tuple[Float64[np.ndarray, "clusters"], Float64[np.ndarray, "clusters"], Float64[np.ndarray, "clusters"]]:
    """Share, lift and standardised share of the names."""
    counts = scoring.by_class(classes, n_classes=n_classes)
    share = share_of(counts, name)
    lift = lift_of(share, scoring.base(classes, n_classes=n_classes), name)
    standard = scoring.standardise(counts, classes, n_classes=n_classes)
    return share, lift, of_name(standard, name, missing=0.0)


def _score_shuffled(
    naming: Half,
    scoring: Half,
    targets: Int64[np.ndarray, "rows"],
    blocks: Blocks,
    n_classes: int,
    *,
    generator: np.random.Generator,
) -> tuple[Float64[np.ndarray, "clusters"], Float64[np.ndarray, "clusters"], Float64[np.ndarray, "clusters"]]:
    """Share, lift and standardised share of the names that clusters get when classes are shuffled."""
    classes = blocks.shuffled_classes(targets, generator)[blocks.first]
    return _score_names(scoring, classes, _name_clusters(naming, classes, n_classes), n_classes)


def of_name(
    values: Float64[np.ndarray, "clusters classes"], name: Int64[np.ndarray, "clusters"], *, missing: float
) -> Float64[np.ndarray, "clusters"]:
    """The value of each cluster at its name; `missing` where it has none."""
    found = values[np.arange(len(name)), np.maximum(name, 0)]
    return np.where(name == UNNAMED, missing, found)


def share_of(
    counts: Int64[np.ndarray, "clusters classes"], name: Int64[np.ndarray, "clusters"]
) -> Float64[np.ndarray, "clusters"]:
    """Share of each cluster's rows that are of its name; NaN where there are none or it has none."""
    rows = counts.sum(1)
    named = of_name(counts.astype(np.float64), name, missing=np.nan)
    return np.asarray(np.divide(named, rows, out=np.full(len(name), np.nan), where=rows > 0))


def lift_of(
    share: Float64[np.ndarray, "clusters"],
    base: Float64[np.ndarray, "classes"],
    name: Int64[np.ndarray, "clusters"],
) -> Float64[np.ndarray, "clusters"]:
    """Each share over the share that the name has of all rows; NaN where one of the two is not defined."""
    base_of_name = base[np.maximum(name, 0)]
    defined = (base_of_name > 0) & (name != UNNAMED)
    return np.asarray(np.divide(share, base_of_name, out=np.full(len(name), np.nan), where=defined))
