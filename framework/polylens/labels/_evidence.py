"""Numbers and notes that every way of naming clusters gives."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from polylens.records import MAJORITY, ClusterLabel, Number, Partition
from polylens.statistics import Evidence, held_out_share, median_lift


def cluster_labels(
    evidence: Evidence, guesses: Sequence[str], partition: Partition, *, level: float, among: int
) -> tuple[ClusterLabel, ...]:
    """The label of every cluster: its guess, and what held-out rows say of it.

    Args:
        evidence: of the names.
        guesses: what the naming part suggests for each cluster; empty where it suggests nothing.
        partition: whose clusters are named.
        level: chance that any cluster at all is named by chance, of all partitions together.
        among: how many partitions the spec labels.
    """
    sizes = np.bincount(partition.labels[partition.labels >= 0], minlength=partition.n_clusters)
    chance_lift = evidence.chance_lift(level / among)
    p_values = np.minimum(evidence.p_values * among, 1.0)
    share, lift = np.nan_to_num(evidence.share), np.nan_to_num(evidence.lift)
    above_chance = (p_values <= level) & (evidence.held_out_rows > 0)
    return tuple(
        ClusterLabel(
            cluster=index,
            guess=guess,
            size=int(sizes[index]),
            share=float(share[index]),
            lift=float(lift[index]),
            chance_lift=float(chance_lift[index]),
            p_value=float(p_values[index]),
            above_chance=bool(above_chance[index]),
        )
        for index, guess in enumerate(guesses)
    )


def numbers_of(
    evidence: Evidence, clusters: Sequence[ClusterLabel], *, n_rows: int, level: float, chance_is: str
) -> dict[str, Number]:
    """What the labels of the whole partition are worth; without clusters no row is in one with a name.

    Args:
        evidence: the names' evidence.
        clusters: the label of each cluster.
        n_rows: how many rows were partitioned, noise counted.
        level: chance that any cluster of this partition is named by chance.
        chance_is: what was shuffled, for chance levels.
    """
    if not clusters:
        none = Number(0.0, chance=0.0, chance_is=chance_is)
        return {"named_coverage": none, "above_chance_coverage": none}
    named = np.array([each.named for each in clusters])
    above = np.array([each.above_chance for each in clusters])
    sizes = np.array([each.size for each in clusters])
    above_by_chance = evidence.above_by_chance(level)
    named_by_chance = above_by_chance & (evidence.null_share > MAJORITY)
    numbers = {
        "named_fraction": Number(
            float(named.mean()), chance=float(named_by_chance.mean(1).mean()), chance_is=chance_is
        ),
        "named_coverage": Number(
            float(sizes[named].sum() / n_rows),
            chance=float((named_by_chance @ sizes).mean() / n_rows),
            chance_is=chance_is,
        ),
        "above_chance_coverage": Number(
            float(sizes[above].sum() / n_rows),
            chance=float((above_by_chance @ sizes).mean() / n_rows),
            chance_is=chance_is,
        ),
    }
    pooled = held_out_share(evidence, chance_is=chance_is)
    lift = median_lift(evidence, chance_is=chance_is)
    fits = {"held_out_share": pooled, "median_lift": lift}
    return numbers | {name: number for name, number in fits.items() if number is not None}


def rounds_for(level: float, *, least: int) -> int:
    """Rounds of shuffling for a level: with fewer than twice its inverse no p-value comes far below it.

    >>> rounds_for(0.05, least=100), rounds_for(0.05 / 12, least=200)
    (100, 480)
    """
    return max(least, math.ceil(round(2 / level, 6)))


def undefined_numbers(clusters: Sequence[ClusterLabel]) -> dict[str, str]:
    """The numbers that do not exist without clusters: they are shares of clusters, or of rows in clusters."""
    return (
        {} if clusters else dict.fromkeys(("named_fraction", "held_out_share", "median_lift"), "no clusters")
    )


def notes_of(evidence: Evidence, *, copies: int, level: float, among: int) -> tuple[str, ...]:
    """What a reader of the labels must know.

    Args:
        evidence: the names' evidence.
        copies: how many examples are copies of others.
        level: chance that any cluster at all is named by chance, of all partitions together.
        among: how many partitions the spec labels.
    """
    unscored = int((evidence.held_out_rows == 0).sum())
    notes = []
    if not len(evidence.naming_rows):
        notes.append("There are no clusters to name.")
    if copies:
        notes.append(f"{copies} examples are copies of others: each counts as one with what it copies.")
    if among > 1:
        notes.append(
            f"{among} partitions are labelled, of all layers together: p-values and the level of "
            f"{level * 100:g} % are of all their clusters."
        )
    if unscored:
        notes.append(f"{unscored} clusters have no held-out rows and get no name.")
    return tuple(notes)
