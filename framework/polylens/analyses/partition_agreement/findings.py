"""How far two partitions of the same rows agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Int64

from polylens.analyses._partitions.tables import cluster_names
from polylens.progress import Progress
from polylens.records import Findings, Number, Partition, Rows
from polylens.statistics import (
    Blocks,
    Interval,
    contingency,
    information_agreement,
    pair_agreement,
    stability_range,
    subsamples,
)
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.partition_agreement import PartitionAgreement

_CLUSTERED = ("adjusted_mutual_information_clustered", "adjusted_rand_clustered")


def partition_agreement_findings(
    analysis: PartitionAgreement,
    rows: Rows,
    *,
    streams: Streams,
    upstream: Mapping[str, Findings],
    progress: Progress,
) -> Findings:
    """Agreement, its stability range, its chance level, and the table of counts."""
    first, second = (upstream[name].clusters(name, to="compare") for name in analysis.of)
    blocks = Blocks.of(rows.origins.block)
    observed = _agreement(first.labels, second.labels)
    common = _common_subsamples(first, second)
    if common:
        again = [_agreement(left, right) for left, right in common]
        ranges = {name: stability_range(each.get(name) for each in again) for name in observed}
    else:
        again = list(_resample(analysis, first, second, blocks, streams))
        meaning = "5 to 95 % of {count} draws of 80 % of the examples, the partitions as they are"
        # Fewer examples, not as many drawn again: this says how stable agreement is, not how sure.
        ranges = {
            name: Interval.of((each.get(name) for each in again), meaning=meaning, range_is="stability")
            for name in observed
        }
    null: list[dict[str, float]] = []
    with progress.task("shuffling labels", total=analysis.permutations, unit="shuffles") as task:
        for number in range(analysis.permutations):
            order = blocks.moved_rows(streams.generator("rows", number))
            null.append(_agreement(first.labels, second.labels[order]))
            task.advance()
    counts = contingency(first.labels, second.labels)
    names = [cluster_names(first), cluster_names(second)]
    table = pd.DataFrame(counts, columns=names[1])
    table.insert(0, f"{analysis.of[0]} / {analysis.of[1]}", names[0])
    numbers = {
        name: Number(value, ranges[name].low, ranges[name].high, ranges[name].meaning, range_is="stability")
        if name == "clustered_by_both"
        else Number(
            value,
            ranges[name].low,
            ranges[name].high,
            ranges[name].meaning,
            range_is="stability",
            chance=float(np.mean([each[name] for each in null if name in each] or [0.0])),
            chance_is=f"mean of {analysis.permutations} exchanges of labels between examples",
        )
        for name, value in observed.items()
    }
    alone = sum(int(size) for size in blocks.sizes if (blocks.sizes == size).sum() == 1)
    notes = () if not alone else (f"{alone} rows are of examples with a row count of their own and stay.",)
    lacking = [name for name in _CLUSTERED if name not in numbers]
    return Findings(
        numbers=numbers,
        tables={"contingency": table},
        notes=notes,
        undefined=dict.fromkeys(lacking, "fewer than two rows clustered by both"),
    )


def _resample(
    analysis: PartitionAgreement, first: Partition, second: Partition, blocks: Blocks, streams: Streams
) -> Iterator[dict[str, float]]:
    for kept in subsamples(blocks, count=analysis.resamples, streams=streams):
        yield _agreement(first.labels[kept], second.labels[kept])


def _agreement(first: Int64[np.ndarray, "rows"], second: Int64[np.ndarray, "rows"]) -> dict[str, float]:
    """All scores of two labellings; those on commonly clustered rows only where there are two at least."""
    both = (first >= 0) & (second >= 0)
    scores = {
        "adjusted_mutual_information": information_agreement(first, second),
        "adjusted_rand": pair_agreement(first, second),
        "clustered_by_both": float(both.mean()),
    }
    if both.sum() > 1:
        one, other = first[both], second[both]
        scores["adjusted_mutual_information_clustered"] = information_agreement(one, other)
        scores["adjusted_rand_clustered"] = pair_agreement(one, other)
    return scores


def _common_subsamples(
    first: Partition, second: Partition
) -> list[tuple[Int64[np.ndarray, "chosen"], Int64[np.ndarray, "chosen"]]]:
    """Labels of both on the subsamples that both were clustered on."""
    others = {item.value: item for item in second.alternatives if item.name == "subsample"}
    return [
        (item.labels, others[item.value].labels)
        for item in first.alternatives
        if item.name == "subsample"
        and item.value in others
        and np.array_equal(item.rows, others[item.value].rows)
    ]
