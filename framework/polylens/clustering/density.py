"""Clusters as regions of high density, and noise between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from polylens.clustering.checks import check_min_samples, check_points, check_whole, check_word
from polylens.clustering.condensing import condense_tree
from polylens.clustering.exemplars import medoids
from polylens.clustering.library import library_labels
from polylens.clustering.points import METRICS, Metric, Points
from polylens.clustering.selecting import Selection, cut, select_clusters
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Hierarchy, Partition

Ties = Literal["at_once", "library"]


def hdbscan(
    points: Points,
    *,
    metric: Metric,
    min_cluster_size: int = 5,
    min_samples: int | None = None,
    selection: Selection = "eom",
    max_cluster_size: int | None = None,
    epsilon: float = 0.0,
    ties: Ties = "at_once",
    of: Hierarchy | None = None,
    exemplars: bool = True,
    bits: int | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> Partition:
    """The HDBSCAN* clusters of points; rows in no cluster are noise (-1).

    The clusters do not depend on the order of the rows: groups that meet at one height are joined at once.
    Where rows leave a cluster, or it splits, is counted in lambda = 1 / height; a height of 0 (exact
    duplicates) counts as half the least positive height. Rows that are all equal, or that show one cluster
    only, are all noise: one cluster of everything is no finding.

    Args:
        points: activations or graded codes (`euclidean`, `cosine`: 1 - cosine of the angle, `l1`), or bits,
            packed or not (`hamming`: share of bits that differ, `jaccard`).
        metric: how rows are compared.
        min_cluster_size: fewest rows of a cluster, 2 or more.
        min_samples: neighbours that make a core point, the point itself counted. Where None: that of `of`,
            and without it `min_cluster_size`.
        selection: `eom` (the most persistent clusters) or `leaf` (the finest).
        max_cluster_size: most rows of a cluster; see `selected`.
        epsilon: clusters that split off below this height, in the metric's unit, are merged, as far as
            `max_cluster_size` allows; see `selected`.
        ties: `at_once`, or `library`: scikit-learn's HDBSCAN, for comparison only. It joins equal heights one
            after the other, in an order that follows from how rows are numbered, so its clusters change with
            that order. A row or small group that is as near to one cluster as to another goes to one of the
            two there, and leaves both here. Core distances make such heights equal from `min_samples` 3 on,
            even where no two distances are. There is no `of`, `hierarchy` or `persistence` then, and memory
            is that of the points in double precision (under `cosine`, of all their pairs).
        of: the hierarchy of the same points by the same metric and `min_samples`, which is then not made
            again: cutting it at many sizes costs next to nothing.
        exemplars: whether the clusters' medoids are found, which costs up to as much as all their pairs; else
            there are none.
        bits: how many bits a packed row holds; 8 a byte where None.
        device: where distances are taken, as `hierarchy` has it.
        progress: where the work shows itself.

    Raises:
        DataError: points of another type, fewer rows than `min_samples`, a single row, no columns, NaN or
            infinity, a metric that does not fit the points, limits that exclude each other, or a hierarchy of
            something else.

    Source: Campello, Moulavi, Sander (2013); Campello, Moulavi, Zimek, Sander (2015).
    """
    neighbours = min_samples
    if neighbours is None:
        neighbours = min_cluster_size if of is None else of.min_samples
    check_word("selection", selection, get_args(Selection))
    check_word("ties", ties, get_args(Ties))
    _check_limits(min_cluster_size, neighbours, max_cluster_size, epsilon)
    if ties == "library" and max_cluster_size is not None and (selection == "leaf" or epsilon > 0):
        raise DataError(
            "scikit-learn does not keep max_cluster_size under 'selection: leaf', nor beside 'epsilon'",
            hint="use 'ties: at_once', or leave one of them out",
        )
    because = f"min_samples is {neighbours}"
    check_points(points, at_least=neighbours, because=because, metric=metric, bits=bits)
    if of is not None:
        _check_hierarchy(of, ties, rows=len(points), metric=metric, min_samples=neighbours)

    if ties == "library":
        labels, strength = library_labels(
            points,
            metric=metric,
            min_cluster_size=min_cluster_size,
            min_samples=neighbours,
            selection=selection,
            max_cluster_size=max_cluster_size,
            epsilon=epsilon,
            bits=bits,
            progress=progress,
        )
        words = _in_words(metric, min_cluster_size, neighbours, selection, max_cluster_size, epsilon)
        partition = Partition(
            labels=labels,
            strength=strength,
            exemplars=np.empty(0, np.int64),
            method=f"HDBSCAN ({words}, ties as in scikit-learn)",
            space=_space_of(metric),
        )
    else:
        if of is None:
            from polylens.clustering.spanning_tree import hierarchy

            of = hierarchy(
                points, metric=metric, min_samples=neighbours, bits=bits, device=device, progress=progress
            )
        partition = cut_hierarchy(
            of,
            min_cluster_size=min_cluster_size,
            selection=selection,
            max_cluster_size=max_cluster_size,
            epsilon=epsilon,
        )
    if not exemplars:
        return partition
    found = medoids(points, labels=partition.labels, metric=metric, progress=progress)
    return replace(partition, exemplars=found)


def cut_hierarchy(
    of: Hierarchy,
    *,
    min_cluster_size: int,
    selection: Selection = "eom",
    max_cluster_size: int | None = None,
    epsilon: float = 0.0,
) -> Partition:
    """The clusters that `hdbscan` finds in a hierarchy, without medoids: no point is looked at.

    Raises:
        DataError: limits that exclude each other.
    """
    check_word("selection", selection, get_args(Selection))
    _check_limits(min_cluster_size, of.min_samples, max_cluster_size, epsilon)
    tree = condense_tree(of, min_cluster_size=min_cluster_size)
    nodes = select_clusters(tree, selection=selection, max_cluster_size=max_cluster_size, epsilon=epsilon)
    flat = cut(tree, nodes)
    words = _in_words(of.metric, min_cluster_size, of.min_samples, selection, max_cluster_size, epsilon)
    return Partition(
        labels=flat.labels,
        strength=flat.strength,
        exemplars=np.empty(0, np.int64),
        method=f"HDBSCAN ({words})",
        space=_space_of(of.metric),
        persistence=flat.persistence,
        lifetimes=flat.lifetimes,
        hierarchy=of,
    )


def _space_of(metric: str) -> str:
    return "code" if metric in METRICS["bits"] else "activation"


def _in_words(
    metric: str,
    min_cluster_size: int,
    min_samples: int,
    selection: Selection,
    max_cluster_size: int | None,
    epsilon: float,
) -> str:
    options = [metric, f"min_cluster_size {min_cluster_size}", f"min_samples {min_samples}", selection]
    if max_cluster_size is not None:
        options.append(f"max_cluster_size {max_cluster_size}")
    if epsilon > 0:
        options.append(f"epsilon {epsilon:g}")
    return ", ".join(options)


def _check_limits(
    min_cluster_size: int, min_samples: int, max_cluster_size: int | None, epsilon: float
) -> None:
    check_whole("min_cluster_size", min_cluster_size, least=2, because="a cluster has 2 rows or more")
    check_min_samples(min_samples)
    if max_cluster_size is not None and max_cluster_size < min_cluster_size:
        raise DataError(
            f"max_cluster_size ({max_cluster_size}) is below min_cluster_size ({min_cluster_size}): "
            "no cluster could be kept"
        )
    if not 0 <= epsilon < np.inf:
        raise DataError(f"epsilon is {epsilon:g}: a height is a number, 0 or more")


def _check_hierarchy(of: Hierarchy, ties: Ties, *, rows: int, metric: str, min_samples: int) -> None:
    if ties == "library":
        raise DataError("a hierarchy joins equal heights at once: 'ties: library' cannot start from one")
    for what, given, wanted in (
        ("rows", len(of.order), rows),
        ("metric", of.metric, metric),
        ("min_samples", of.min_samples, min_samples),
    ):
        if given != wanted:
            raise DataError(f"the hierarchy is of other points: its {what} is {given}, not {wanted}")
