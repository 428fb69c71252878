"""Numbers and notes that every way of naming clusters gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from polylens.records import MAJORITY, ClusterLabel, Labels, Number, Partition, Rows
from polylens.statistics import Evidence, held_out_share, median_lift


@dataclass(frozen=True)
class Level:
    """How much may be named by chance."""

    family: float
    """Chance that any cluster at all is named by chance, of all partitions together, from 0 to 1."""
    among: int
    """How many partitions the spec labels."""

    @property
    def own(self) -> float:
        """Chance that any cluster of one partition is named by chance."""
        return self.family / self.among

    def rounds(self, *, least: int) -> int:
        """Rounds of shuffling: with fewer than twice the level's inverse no p-value comes far below it.

        >>> Level(0.05, among=1).rounds(least=100), Level(0.05, among=12).rounds(least=200)
        (100, 480)
        """
        return max(least, math.ceil(round(2 / self.own, 6)))


@dataclass(frozen=True)
class Particulars:
    """What one way of naming says beside the evidence that all ways have."""

    words: Mapping[str, Sequence[str]]
    """Columns of the table of clusters, one text a cluster: what its name is made of."""
    shares: Mapping[str, Sequence[float]]
    """Further columns, from 0 to 1: how common that is."""
    tables: Mapping[str, pd.DataFrame]
    """Tables of its own, by name."""
    chance_is: str
    """What was shuffled, for chance levels."""


def labels_of(
    evidence: Evidence,
    guesses: Sequence[str],
    rows: Rows,
    partition: Partition,
    *,
    level: Level,
    particulars: Particulars,
) -> Labels:
    """The labels of all clusters, with their numbers, tables and notes.

    Args:
        evidence: of the names.
        guesses: what the naming part suggests for each cluster; empty where it suggests nothing.
        rows: that were partitioned.
        partition: whose clusters are named.
        level: how much may be named by chance.
        particulars: what is said in this way of naming alone.
    """
    clusters = _cluster_labels(evidence, guesses, partition, level=level)
    return Labels(
        clusters=clusters,
        numbers=_numbers(
            evidence,
            clusters,
            n_rows=len(partition.labels),
            level=level.own,
            chance_is=particulars.chance_is,
        ),
        tables={
            "clusters": _cluster_table(evidence, clusters, rows, partition, particulars),
            **particulars.tables,
        },
        notes=_notes(evidence, copies=rows.origins.n_copies, level=level),
        undefined=_undefined_numbers(clusters),
    )


def _cluster_table(
    evidence: Evidence,
    clusters: Sequence[ClusterLabel],
    rows: Rows,
    partition: Partition,
    particulars: Particulars,
) -> pd.DataFrame:
    """One line a cluster: its label and all of the evidence."""
    share_low, share_high = evidence.share_limits()
    lift_low, lift_high = evidence.lift_limits()
    exemplars = rows.origins.example[partition.exemplars]
    columns: dict[str, Sequence[object]] = {
        "cluster": [each.cluster for each in clusters],
        "label": [each.text for each in clusters],
        "named": [each.named for each in clusters],
        "above_chance": [each.above_chance for each in clusters],
        "size": [each.size for each in clusters],
        **particulars.words,
        "naming_rows": evidence.naming_rows.tolist(),
        "held_out_rows": evidence.held_out_rows.tolist(),
        "share": evidence.share.tolist(),
        "share_low": share_low.tolist(),
        "share_high": share_high.tolist(),
        **particulars.shares,
        "lift": evidence.lift.tolist(),
        "lift_low": lift_low.tolist(),
        "lift_high": lift_high.tolist(),
        "chance_lift": [each.chance_lift for each in clusters],
        "p_value": [each.p_value for each in clusters],
        "exemplar_example": [rows.origins.example_ids[example] for example in exemplars],
    }
    return pd.DataFrame(columns)


def _cluster_labels(
    evidence: Evidence, guesses: Sequence[str], partition: Partition, *, level: Level
) -> tuple[ClusterLabel, ...]:
    """The label of every cluster: its guess, and what held-out rows say of it."""
    sizes = np.bincount(partition.labels[partition.labels >= 0], minlength=partition.n_clusters)
    chance_lift = evidence.chance_lift(level.own)
    p_values = np.minimum(evidence.p_values * level.among, 1.0)
    share, lift = np.nan_to_num(evidence.share), np.nan_to_num(evidence.lift)
    above_chance = (p_values <= level.family) & (evidence.held_out_rows > 0)
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


def _numbers(
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


def _undefined_numbers(clusters: Sequence[ClusterLabel]) -> dict[str, str]:
    """The numbers that do not exist without clusters: they are shares of clusters, or of rows in clusters."""
    return (
        {} if clusters else dict.fromkeys(("named_fraction", "held_out_share", "median_lift"), "no clusters")
    )


def _notes(evidence: Evidence, *, copies: int, level: Level) -> tuple[str, ...]:
    """What a reader of the labels must know; `copies` is how many examples are copies of others."""
    unscored = int((evidence.held_out_rows == 0).sum())
    notes = []
    if not len(evidence.naming_rows):
        notes.append("There are no clusters to name.")
    if copies:
        notes.append(f"{copies} examples are copies of others: each counts as one with what it copies.")
    if level.among > 1:
        notes.append(
            f"{level.among} partitions are labelled, of all layers together: p-values and the level of "
            f"{level.family * 100:g} % are of all their clusters."
        )
    if unscored:
        notes.append(f"{unscored} clusters have no held-out rows and get no name.")
    return tuple(notes)
