"""Density ratios as numbers with names, intervals and chance levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from polylens.records import Number
from polylens.statistics.naming import metric_name
from polylens.statistics.ratios import DensityRatios
from polylens.statistics.resampling import bootstrap_interval

if TYPE_CHECKING:
    import pandas as pd


def ratio_numbers(
    observed: DensityRatios,
    *,
    layers: Sequence[str],
    resampled: Sequence[DensityRatios],
    shuffled: Sequence[DensityRatios],
) -> dict[str, Number]:
    """Every defined ratio with its bootstrap interval, and its mean under shuffled classes.

    `matched_ratio` is of all layers pooled (the mean of their code distances), `matched_ratio.<layer>`
    of one.
    """
    numbers: dict[str, Number] = {}
    for name, suffix, index in _measures(observed, layers):
        value = _value(observed, name, index)
        if not np.isfinite(value):
            continue
        interval = bootstrap_interval(_value(each, name, index) for each in resampled)
        null = _defined_values(shuffled, name, index) if name.endswith("_ratio") else np.zeros(0)
        numbers[metric_name(name, *suffix)] = Number(
            value,
            interval.low,
            interval.high,
            interval.meaning,
            chance=float(null.mean()) if len(null) else None,
            chance_is=f"mean of {len(null)} shuffles of classes over examples" if len(null) else "",
        )
    return numbers


def ratio_table(
    observed: DensityRatios,
    *,
    layers: Sequence[str],
    resampled: Sequence[DensityRatios],
    shuffled: Sequence[DensityRatios],
) -> pd.DataFrame:
    """Every ratio and every mean it is made of, with its interval and its mean under shuffled classes.

    How far ratios scatter under shuffling is left out: it is no test of a ratio of 1, since shuffling undoes
    the difference in distance as well.
    """
    import pandas as pd

    lines = []
    for name, suffix, index in _measures(observed, layers):
        value = _value(observed, name, index)
        interval = bootstrap_interval(_value(each, name, index) for each in resampled)
        null = _defined_values(shuffled, name, index) if name.endswith("_ratio") else np.zeros(0)
        known = len(null) > 0 and bool(np.isfinite(value))
        lines.append(
            {
                "number": name,
                "layer": suffix[0] if suffix else "all",
                "value": value,
                "low": np.nan if interval.low is None else interval.low,
                "high": np.nan if interval.high is None else interval.high,
                "chance_mean": null.mean() if known else np.nan,
            }
        )
    return pd.DataFrame(lines)


def _measures(observed: DensityRatios, layers: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Name, suffix and column of every number: all layers together first, then each layer."""
    for name, values in observed.numbers.items():
        yield name, (), -1
        if not isinstance(values, float):
            yield from ((name, (layer,), index) for index, layer in enumerate(layers))


def _value(ratios: DensityRatios, name: str, index: int) -> float:
    return float(np.atleast_1d(ratios.numbers[name])[index])


def _defined_values(ratios: Sequence[DensityRatios], name: str, index: int) -> Float64[np.ndarray, "defined"]:
    values = np.array([_value(each, name, index) for each in ratios], dtype=np.float64)
    return values[np.isfinite(values)]
