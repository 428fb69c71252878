"""Scores of one labelling of rows against another, from the counts of rows by both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.records import NOISE, count_clusters
from polylens.statistics.expected_information import expected_mutual_information

_ROUNDING = 1e-12
"""Differences of entropies (in nats) below this are rounding."""


@dataclass(frozen=True)
class ClusterClasses:
    """What classes each cluster holds."""

    counts: Int64[np.ndarray, "clusters classes"]
    sizes: Int64[np.ndarray, "clusters"]
    majority: Int64[np.ndarray, "clusters"]
    """Most common class of each cluster; the lowest of equals."""
    purity: Float64[np.ndarray, "clusters"]
    """Share of each cluster's rows that are of its majority class, in (0, 1]."""
    entropy: Float64[np.ndarray, "clusters"]
    """Entropy of the classes within each cluster, in bits; 0 where it holds one class."""


def contingency(
    first: Int64[np.ndarray, "rows"], second: Int64[np.ndarray, "rows"]
) -> Int64[np.ndarray, "first_labels second_labels"]:
    """Counts of rows by two labellings; where a labelling has noise, noise is its last line.

    >>> contingency(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1]))
    array([[1, 1],
           [0, 1],
           [0, 1]])
    """
    left, n_left = _noise_last(first)
    right, n_right = _noise_last(second)
    flat = np.bincount(left * n_right + right, minlength=n_left * n_right)
    return flat.reshape(n_left, n_right).astype(np.int64)


def cluster_classes(
    labels: Int64[np.ndarray, "rows"], targets: Int64[np.ndarray, "rows"], *, n_classes: int | None = None
) -> ClusterClasses:
    """The classes of each cluster's rows. Noise is left out."""
    kept = labels != NOISE
    n_clusters = count_clusters(labels)
    width = int(targets.max(initial=0)) + 1 if n_classes is None else n_classes
    flat = np.bincount(labels[kept] * width + targets[kept], minlength=n_clusters * width)
    counts = flat.reshape(n_clusters, width).astype(np.int64)
    sizes = counts.sum(1)
    shares = counts / sizes[:, None]
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return ClusterClasses(
        counts=counts,
        sizes=sizes,
        majority=counts.argmax(1).astype(np.int64),
        purity=shares.max(1, initial=0.0),
        entropy=np.abs((shares * logs).sum(1)),
    )


def coverage(labels: Int64[np.ndarray, "rows"]) -> float:
    """Share of rows that are in a cluster (1 - noise).

    >>> coverage(np.array([0, 0, 1, -1]))
    0.75
    """
    return float((labels != NOISE).mean())


def purity(labels: Int64[np.ndarray, "rows"], targets: Int64[np.ndarray, "rows"]) -> float | None:
    """Share of clustered rows that are of their cluster's majority class; None where nothing is clustered.

    >>> purity(np.array([0, 0, 0, 1, 1, -1]), np.array([2, 2, 1, 0, 0, 1]))
    0.8
    """
    kept = labels != NOISE
    if not kept.any():
        return None
    # Only pairs that occur are counted: tokens are classes too, by the ten thousand.
    width = int(targets.max(initial=0)) + 1
    pair, count = np.unique(labels[kept] * width + targets[kept], return_counts=True)
    most = np.zeros(count_clusters(labels), dtype=np.int64)
    np.maximum.at(most, pair // width, count)
    return float(most.sum() / kept.sum())


def right_fraction(labels: Int64[np.ndarray, "rows"], targets: Int64[np.ndarray, "rows"]) -> float:
    """Share of all rows that are of their cluster's majority class: coverage times purity.

    Noise counts as wrong, so that unlike purity it does not rise when rows are called noise; 0 where nothing
    is clustered.

    >>> round(right_fraction(np.array([0, 0, 0, 1, 1, -1]), np.array([2, 2, 1, 0, 0, 1])), 3)
    0.667
    """
    return coverage(labels) * (purity(labels, targets) or 0.0)


def majorities(
    labels: Int64[np.ndarray, "rows"], targets: Int64[np.ndarray, "rows"], *, n_clusters: int
) -> Int64[np.ndarray, "clusters"]:
    """The most common class of each cluster's rows, the lowest of equals; -1 where there are no rows.

    Classes may be many: only pairs that occur are counted.

    >>> majorities(np.array([0, 0, 1, -1]), np.array([7, 7, 3, 3]), n_clusters=3)
    array([ 7,  3, -1])
    """
    kept = labels != NOISE
    width = int(targets.max(initial=0)) + 1
    pair, count = np.unique(labels[kept] * width + targets[kept], return_counts=True)
    order = np.lexsort((-pair, count))
    most = np.full(n_clusters, -1, dtype=np.int64)
    # Of several assignments to one place the last holds: the highest count, and of equals the lowest class.
    most[pair[order] // width] = pair[order] % width
    return most


def adjusted_mutual_information(counts: Int64[np.ndarray, "a b"], *, expected: float | None = None) -> float:
    """Mutual information of two labellings, adjusted for chance: 1 where they are the same, 0 at chance.

    Args:
        counts: their contingency; a line of noise counts as one label more (`information_agreement` does not
            count it).
        expected: the expected mutual information, where it is known (it depends on the margins only).

    Source: Vinh, Epps, Bailey (2010), with the arithmetic mean of the entropies as normaliser.
    Departs: where chance cannot but agree (one class each, or every row apart in both) the score is 0 here,
        1 in scikit-learn.

    >>> adjusted_mutual_information(np.array([[2, 0], [0, 2]]))
    1.0
    """
    counts = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    if counts.shape[0] <= 1 and counts.shape[1] <= 1:
        return 0.0
    chance = expected_mutual_information(counts) if expected is None else expected
    highest = (_entropy(counts.sum(1)) + _entropy(counts.sum(0))) / 2
    if highest - chance <= _ROUNDING * max(highest, 1.0):
        return 0.0
    return float((_mutual_information(counts) - chance) / (highest - chance))


def adjusted_rand(counts: Int64[np.ndarray, "a b"]) -> float:
    """Share of row pairs on which two labellings agree, adjusted for chance: 1 is identity, 0 chance.

    Source: Hubert and Arabie (1985).
    Departs: where chance cannot but agree (one class each, or every row apart in both) the score is 0 here,
        1 in scikit-learn.

    >>> adjusted_rand(np.array([[2, 0], [0, 2]]))
    1.0
    """
    pairs = _pairs(counts.sum()[None])
    both, left, right = _pairs(counts), _pairs(counts.sum(1)), _pairs(counts.sum(0))
    if pairs == 0:
        return 0.0
    chance = left * right / pairs
    highest = (left + right) / 2
    return 0.0 if highest == chance else float((both - chance) / (highest - chance))


def _noise_last(labels: Int64[np.ndarray, "rows"]) -> tuple[Int64[np.ndarray, "rows"], int]:
    n_clusters = count_clusters(labels)
    noise = labels == NOISE
    return np.where(noise, n_clusters, labels), n_clusters + bool(noise.any())


def _mutual_information(counts: Int64[np.ndarray, "a b"]) -> float:
    total = counts.sum()
    left, right = np.nonzero(counts)
    joint = counts[left, right] / total
    apart = counts.sum(1)[left] * (counts.sum(0)[right] / total)
    return float((joint * np.log(counts[left, right] / apart)).sum())


def _entropy(sizes: Int64[np.ndarray, "labels"]) -> float:
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())


def _pairs(sizes: Int64[np.ndarray, "..."]) -> float:
    return float((sizes.astype(np.float64) * (sizes - 1) / 2).sum())
