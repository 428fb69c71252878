"""Directions and clusters of as many members, scored alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from polylens.analyses.directions.families import RANDOM, Family, SaeTraining, Search, family_of
from polylens.analyses.directions.meanings import Meanings
from polylens.analyses.directions.overlaps import overlap_numbers
from polylens.analyses.directions.scores import CLUSTERS, Group, Resampling, meaning_numbers
from polylens.analyses.directions.tables import direction_table, example_table, histogram_table, member_table
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Findings, Number, Partition, Rows
from polylens.streams import Streams
from polylens.work import Keeper

if TYPE_CHECKING:
    from polylens.analyses.directions import Directions


def directions_findings(
    analysis: Directions,
    rows: Rows,
    *,
    streams: Streams,
    upstream: Mapping[str, Findings],
    progress: Progress,
    keeper: Keeper | None,
) -> Findings:
    """Scores of clusters and of every family, and how many clusters lie on the same stretch."""
    partition = upstream[analysis.of].clusters(analysis.of, to="compare directions with")
    if rows.activations is None:
        raise DataError("directions needs activations")
    meanings = Meanings.of(rows, rare=analysis.rare)
    families = _families(analysis, rows.activations, partition, streams, progress, keeper)
    count = min((family.scores.shape[1] for family in families), default=0)
    clusters = np.where(partition.labels < count, partition.labels, -1)
    numbers = {
        "clusters": Number(float(partition.n_clusters)),
        "compared_clusters": Number(float(count)),
        "coverage": Number(float((clusters >= 0).mean())),
    }
    notes = [note for family in families for note in family.notes]
    if not count:
        what = "direction" if partition.n_clusters else "cluster"
        return Findings(numbers=numbers, notes=(f"No {what} was found: there is nothing to match.",))
    if count < partition.n_clusters:
        notes.append(f"Only the {count} largest of {partition.n_clusters} clusters are compared.")
    notes.append("Intervals take clusters and directions as they are, and the examples as drawn.")
    members = tuple(np.flatnonzero(clusters == cluster) for cluster in range(count))
    groups = [Group(CLUSTERS, clusters, members)]
    groups += [
        Group.of(family.first(count), clusters, streams.child("members", family.name)) for family in families
    ]
    resampling = Resampling(meanings.blocks, count=analysis.resamples, streams=streams)
    with progress.task("scoring directions", total=len(groups), unit="families") as task:
        numbers |= meaning_numbers(
            groups,
            meanings,
            resampling,
            permutations=analysis.permutations,
            streams=streams,
            after_each=task.advance,
        )
    overlaps, tops = overlap_numbers(groups, clusters, resampling)
    shown = [group for group in groups if group.name != RANDOM]
    return Findings(
        numbers=numbers | overlaps,
        tables={
            "directions": direction_table(groups, meanings, tops),
            "examples": example_table(shown, meanings, clusters),
            "members": member_table(groups, rows.origins),
            "histograms": histogram_table(groups, meanings, clusters),
        },
        notes=tuple(notes),
    )


def _families(
    analysis: Directions,
    values: Float32[np.ndarray, "rows width"],
    partition: Partition,
    streams: Streams,
    progress: Progress,
    keeper: Keeper | None,
) -> list[Family]:
    """Directions of each family, at most as many as there are clusters."""
    count = min(partition.n_clusters, analysis.most)
    if not count:
        return []
    clustered = int((partition.labels >= 0).sum())
    search = Search(
        count,
        members=max(clustered // count, 1),
        chosen=analysis.chosen,
        fit_rows=analysis.fit_rows,
        training=SaeTraining(analysis.expansion, analysis.active, analysis.steps, analysis.batch),
    )
    return [
        family_of(
            values,
            name,
            search,
            streams=streams.child("directions", name),
            progress=progress,
            keeper=keeper,
        )
        for name in (*analysis.families, RANDOM)
    ]
