"""Clusters cut from spanning trees: of all rows, of further sizes and of subsamples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from polylens.analyses import GROUNDWORK
from polylens.analyses._partitions.spaces import Metric, metric_for
from polylens.analyses._partitions.stability import common_subsamples, left_out_notes, sampled_rows, stability
from polylens.analyses._partitions.tables import cluster_table
from polylens.clustering import Points, cut_hierarchy, hdbscan, hdbscan_of_sample, row_bits, row_points
from polylens.progress import Progress
from polylens.records import Alternative, Findings, Hierarchy, Number, Partition, Rows
from polylens.statistics import stability_range
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.hdbscan import Hdbscan


def hdbscan_findings(
    analysis: Hdbscan, rows: Rows, *, streams: Streams, upstream: Mapping[str, Findings], progress: Progress
) -> Findings:
    """The partition, with the alternatives of `curve` and `subsamples`."""
    points = row_points(rows, on=analysis.on, scale=analysis.scale, packed=True)
    bits, metric = row_bits(rows, on=analysis.on), metric_for(rows, on=analysis.on, metric=analysis.metric)
    sample = sampled_rows(rows, most=analysis.sample, streams=streams)
    some = points if len(sample) == len(rows) else points[sample]
    at_least = max(analysis.neighbours, 2)
    drawn = common_subsamples(
        rows, count=analysis.subsamples, streams=streams, at_least=at_least, among=sample
    )
    trees = upstream.get(GROUNDWORK)
    whole = None if trees is None else trees.hierarchy
    subs = [None] * len(drawn) if trees is None else [sub.hierarchy for sub in trees.subhierarchies]
    most = len(sample) if analysis.max_cluster_size is None else min(analysis.max_cluster_size, len(sample))
    sizes = [size for size in sorted(set(analysis.curve)) if size <= most]
    alternatives: list[Alternative] = []
    again: list[Partition] = []
    with progress.task("clustering", total=1 + len(sizes) + len(drawn), unit="clusterings") as task:
        cut = _cut(analysis, some, metric, bits=bits, of=whole, progress=progress)
        task.advance()
        for size in sizes:
            other = (
                cut
                if size == analysis.min_cluster_size
                else _cut_again(analysis, some, metric, bits=bits, of=whole, size=size, progress=progress)
            )
            alternatives.append(Alternative("min_cluster_size", size, sample, other.labels))
            task.advance()
        for (number, chosen), sub in zip(drawn.items(), subs, strict=True):
            rest = points[chosen] if sub is None else points
            again.append(_cut_again(analysis, rest, metric, bits=bits, of=sub, progress=progress))
            alternatives.append(Alternative("subsample", number, chosen, again[-1].labels))
            task.advance()
    partition = cut
    if len(sample) < len(rows):
        partition = hdbscan_of_sample(points, sample=sample, of_sample=cut, progress=progress)

    notes = () if partition.n_clusters else ("No cluster was found: every row is noise.",)
    return Findings(
        numbers={
            **_numbers(partition, again),
            **stability(partition, alternatives, example=rows.origins.block, streams=streams),
        },
        undefined={} if partition.n_clusters else {"mean_persistence": "no clusters"},
        tables={"clusters": cluster_table(rows, partition)},
        partition=replace(partition, space=analysis.on, alternatives=tuple(alternatives)),
        notes=(*notes, *left_out_notes(drawn, count=analysis.subsamples, at_least=at_least)),
    )


def _cut_again(
    analysis: Hdbscan,
    points: Points,
    metric: Metric,
    *,
    bits: int | None,
    of: Hierarchy | None,
    progress: Progress,
    size: int | None = None,
) -> Partition:
    """Clusters without medoids: of a tree, where there is one, and then of no points at all."""
    if of is None:
        return _cut(
            analysis, points, metric, bits=bits, of=None, progress=progress, size=size, exemplars=False
        )
    partition = cut_hierarchy(
        of,
        min_cluster_size=size or analysis.min_cluster_size,
        selection=analysis.selection,
        max_cluster_size=analysis.max_cluster_size,
        epsilon=analysis.epsilon,
    )
    return _named(partition, analysis)


def _cut(
    analysis: Hdbscan,
    points: Points,
    metric: Metric,
    *,
    bits: int | None,
    of: Hierarchy | None,
    progress: Progress,
    size: int | None = None,
    exemplars: bool = True,
) -> Partition:
    partition = hdbscan(
        points,
        metric=metric,
        min_cluster_size=size or analysis.min_cluster_size,
        min_samples=analysis.neighbours,
        selection=analysis.selection,
        max_cluster_size=analysis.max_cluster_size,
        epsilon=analysis.epsilon,
        ties=analysis.ties,
        of=of,
        exemplars=exemplars,
        bits=bits,
        progress=progress,
    )
    return _named(partition, analysis)


def _named(partition: Partition, analysis: Hdbscan) -> Partition:
    scaled = "" if analysis.scale == "none" else f", scale {analysis.scale}"
    return replace(partition, method=f"{partition.method} of {analysis.on}s{scaled}")


def _numbers(partition: Partition, again: Sequence[Partition]) -> dict[str, Number]:
    """Counts and shares, with their range over the partitions of subsamples."""

    def number(of: Callable[[Partition], float | None]) -> Number | None:
        value, spread = of(partition), stability_range(map(of, again))
        if value is None:
            return None
        return Number(value, spread.low, spread.high, spread.meaning, range_is=spread.range_is)

    numbers = {
        "clusters": number(lambda part: float(part.n_clusters)),
        "coverage": number(lambda part: part.coverage),
        "mean_persistence": number(_mean_persistence),
        "noise_rows": Number(float((partition.labels < 0).sum()), unit="rows"),
    }
    return {name: each for name, each in numbers.items() if each is not None}


def _mean_persistence(partition: Partition) -> float | None:
    lasting = partition.persistence
    return None if lasting is None or not len(lasting) else float(lasting.mean())
