"""How stable clusters are: the same rows clustered again among fewer. Not a kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from polylens.records import Alternative, Number, Partition, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int64

_CHANCE = "labels shuffled, by construction"


def sampled_rows(rows: Rows, *, most: int | None, streams: Streams) -> Int64[np.ndarray, "sample"]:
    """All rows, or a random `most` of them, rising; one seed draws the same for every analysis."""
    import numpy as np

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
    import numpy as np

    from polylens.statistics import Blocks, subsamples

    blocks = Blocks.of(rows.origins.example)
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


def stability(partition: Partition, alternatives: Sequence[Alternative]) -> dict[str, Number]:
    """Agreement of a partition with those of its subsamples on their rows, noise as a class of its own.

    Empty where there is no subsample.
    """
    from polylens.statistics import (
        adjusted_mutual_information,
        adjusted_rand,
        contingency,
        subsample_interval,
    )

    subsampled = [item for item in alternatives if item.name == "subsample"]
    counts = [contingency(partition.labels[item.rows], item.labels) for item in subsampled]
    scores = {
        "stability_adjusted_rand": [adjusted_rand(each) for each in counts],
        "stability_adjusted_mutual_information": [adjusted_mutual_information(each) for each in counts],
    }
    numbers = {}
    for name, values in scores.items():
        if values:
            interval = subsample_interval(values)
            numbers[name] = Number(
                fmean(values), interval.low, interval.high, interval.meaning, chance=0.0, chance_is=_CHANCE
            )
    return numbers
