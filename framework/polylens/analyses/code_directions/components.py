"""Components of codes: what they restore of held-out codes, and how factors act in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from polylens.analyses.code_directions.factors import Factors
from polylens.records import Number, Rows
from polylens.statistics import (
    Additivity,
    Blocks,
    Components,
    Shares,
    additivity,
    analogies,
    bootstrap_interval,
    cell_means,
    independent_components,
    metric_name,
    nonnegative_components,
    principal_components,
)
from polylens.streams import Streams

BITS = "bits"
"""The codes as they are, among what factors are looked for in."""
MAKERS: dict[str, Callable[..., Components]] = {
    "pca": principal_components,
    "nmf": nonnegative_components,
    "ica": independent_components,
}
_QUERIES, _TARGETS, _SHUFFLES = 100, 2000, 5
"""Rows moved of one cell, rows they may land beside, and shuffles of what is added."""


def shuffle_columns(
    values: Float32[np.ndarray, "rows width"], generator: np.random.Generator
) -> Float32[np.ndarray, "rows width"]:
    """Shuffles the values of each column over the rows, every column in an order of its own."""
    return generator.permuted(values, axis=0)


def counts_up_to(most: int) -> list[int]:
    """1, 2, 4, ... and `most` itself.

    >>> counts_up_to(12)
    [1, 2, 4, 8, 12]
    """
    return [*(2**power for power in range(most.bit_length()) if 2**power < most), most]


def reconstruction_errors(
    fitted: Float32[np.ndarray, "some width"],
    held_out: Float32[np.ndarray, "others width"],
    *,
    family: str,
    count: int,
    streams: Streams,
) -> tuple[Float64[np.ndarray, "others"], Float64[np.ndarray, "others"]]:
    """Squared error of each held-out row restored from `count` components, and without any component."""
    components = MAKERS[family](fitted, count=count, generator=streams.generator("start"))
    restored = components.restore(components.scores(held_out))
    mean = fitted.mean(0)
    return (
        ((held_out - restored) ** 2).sum(1, dtype=np.float64),
        ((held_out - mean) ** 2).sum(1, dtype=np.float64),
    )


def reconstruction_number(
    errors: tuple[Float64[np.ndarray, "others"], Float64[np.ndarray, "others"]],
    chance: tuple[Float64[np.ndarray, "others"], Float64[np.ndarray, "others"]],
    *,
    example: Int64[np.ndarray, "others"],
    resamples: int,
    streams: Streams,
) -> Number | None:
    """Share of the held-out variance that is restored; None where held-out codes do not vary."""
    left, total = errors
    if not total.sum():
        return None
    blocks = Blocks.of(example)
    drawn = []
    for number in range(resamples):
        times = blocks.multiplicities(streams.generator("resample", number))[blocks.block]
        drawn.append(1 - float(times @ left) / varies if (varies := float(times @ total)) else None)
    interval = bootstrap_interval(drawn)
    varied = float(chance[1].sum())
    return Number(
        1 - float(left.sum() / total.sum()),
        interval.low,
        interval.high,
        interval.meaning,
        chance=1 - float(chance[0].sum()) / varied if varied else None,
        chance_is="the same of codes whose columns are shuffled, each alone" if varied else "",
    )


def factor_numbers(
    values: Mapping[str, Float32[np.ndarray, "rows _"]],
    factors: Factors,
    rows: Rows,
    second_half: Bool[np.ndarray, "rows"],
    *,
    permutations: int,
    resamples: int,
    streams: Streams,
    after_each: Callable[[], object],
) -> dict[str, Number]:
    """Additivity of the factors in each representation, beside factors drawn at random."""
    cells = factors.cells(second_half)
    blocks = Blocks.of(rows.origins.block)
    weights = [cells.weights()]
    weights += [
        cells.weights(blocks.multiplicities(streams.generator("resample", number))[blocks.block])
        for number in range(resamples)
    ]
    others = [each.cells(second_half) for each in factors.draw_others(permutations, streams)]
    weights += [each.weights() for each in others if each.least > 1]
    numbers: dict[str, Number] = {}
    for name, own in values.items():
        means = np.concatenate([cell_means(own, each) for each in weights])
        additivities = [additivity(each) for each in means]
        numbers |= _additivity_numbers(
            name, additivities[0], again=additivities[1 : resamples + 1], chance=additivities[resamples + 1 :]
        )
        after_each()
        if additivities[0].additive_share is None:
            continue  # the cells do not differ: nothing would be added
        moved = analogies(
            own,
            cells,
            means[0],
            example=rows.origins.block,
            queries=_QUERIES,
            targets=_TARGETS,
            shuffles=_SHUFFLES,
            streams=streams.child("analogies"),
        )
        (interval,) = Shares.of(moved.landed, example=blocks.block[moved.row]).intervals()
        numbers[metric_name("analogies", name)] = Number(
            float(moved.landed.mean()),
            interval.low,
            interval.high,
            interval.meaning,
            chance=moved.by_chance,
            chance_is=f"mean of {_SHUFFLES} shuffles of the columns of what is added",
        )
        numbers[metric_name("analogies_unmoved", name)] = Number(moved.unmoved)
        numbers[metric_name("analogies_at_home", name)] = Number(moved.at_home)
    return numbers


def _additivity_numbers(
    name: str, observed: Additivity, *, again: list[Additivity], chance: list[Additivity]
) -> dict[str, Number]:
    numbers = {}
    for what in ("additive_share", "same_direction"):
        value = getattr(observed, what)
        if value is None:
            continue
        interval = bootstrap_interval(getattr(each, what) for each in again)
        null = [other for each in chance if (other := getattr(each, what)) is not None]
        numbers[metric_name(what, name)] = Number(
            value,
            interval.low,
            interval.high,
            interval.meaning,
            chance=float(np.mean(null)) if null else None,
            chance_is=f"mean of {len(null)} draws of other factors of the same size" if null else "",
        )
    return numbers
