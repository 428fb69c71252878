"""How stable clusters are: the same rows clustered again among fewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from jaxtyping import Int64

from polylens.records import Alternative, Number, Partition, Rows
from polylens.statistics import Blocks, information_agreement, pair_agreement, stability_range, subsamples
from polylens.streams import Streams

_EXCHANGES = 2
"""How often the labels of each subsample are exchanged, for the level of chance."""


def sampled_rows(rows: Rows, *, most: int | None, streams: Streams) -> Int64[np.ndarray, "sample"]:
    """All rows, or a random `most` of them, rising; one seed draws the same for every analysis."""
    if most is None or len(rows) <= most:
        return np.arange(len(rows), dtype=np.int64)
    drawn = Streams(streams.seed).generator("partitions", "sample").choice(len(rows), most, replace=False)
    return np.sort(drawn).astype(np.int64)


def common_subsamples(
    rows: Rows,
    *,
    count: int,
    streams: Streams,
    at_least: int = 2,
    among: Int64[np.ndarray, "sample"] | None = None,
) -> dict[int, Int64[np.ndarray, "chosen"]]:
    """Rows of `count` random 80 % of the examples, without replacement: a repeated row would be a cluster.

    One seed draws the same for every analysis of the same examples, so that two partitions can be compared on
    the subsamples of both.

    Args:
        rows: to draw from.
        count: how many are drawn.
        streams: of the seed.
        at_least: fewest rows of a subsample; smaller ones are left out.
        among: the rows that count, rising; all where None.
    """
    blocks = Blocks.of(rows.origins.block)
    drawn = subsamples(blocks, count=count, streams=Streams(streams.seed).child("partitions"))
    if among is not None and len(among) < len(rows):
        drawn = tuple(np.intersect1d(chosen, among, assume_unique=True) for chosen in drawn)
    return {number: chosen for number, chosen in enumerate(drawn) if len(chosen) >= at_least}


def left_out_notes(drawn: Mapping[int, object], *, count: int, at_least: int) -> tuple[str, ...]:
    """Says that subsamples were left out as too small, where `common_subsamples` gave fewer than asked for.

    Args:
        drawn: what it gave.
        count: how many were asked for.
        at_least: fewest rows of a subsample.
    """
    if len(drawn) == count:
        return ()
    return (
        f"{count - len(drawn)} of {count} subsamples were left out: they have fewer than {at_least} rows.",
    )


def stability(
    partition: Partition,
    alternatives: Sequence[Alternative],
    *,
    example: Int64[np.ndarray, "rows"],
    streams: Streams,
) -> dict[str, Number]:
    """Agreement of a partition with those of its subsamples on their rows; empty where there is none.

    Chance lays the labels of whole examples over other rows. It is 0 where rows do not hang together, and
    above it where the rows of an example do: their labels then go together in any two clusterings.

    Args:
        partition: of all rows.
        alternatives: some of them its subsamples.
        example: of each row, copies as one.
        streams: of the exchanges.
    """
    scores = {
        "stability_adjusted_rand": pair_agreement,
        "stability_adjusted_mutual_information": information_agreement,
    }
    values: dict[str, list[float]] = {name: [] for name in scores}
    null: dict[str, list[float]] = {name: [] for name in scores}
    for item in alternatives:
        if item.name != "subsample":
            continue
        own, blocks = partition.labels[item.rows], Blocks.of(example[item.rows])
        orders = [
            blocks.relaid_rows(streams.generator("stability", item.value, number))
            for number in range(_EXCHANGES)
        ]
        for name, score in scores.items():
            values[name].append(score(own, item.labels))
            null[name] += [score(own, item.labels[order]) for order in orders]
    numbers = {}
    for name, agreements in values.items():
        if agreements:
            spread = stability_range(agreements)
            numbers[name] = Number(
                fmean(agreements),
                spread.low,
                spread.high,
                spread.meaning,
                range_is=spread.range_is,
                chance=fmean(null[name]),
                chance_is=f"mean of {len(null[name])} exchanges of whole examples' labels",
            )
    return numbers
