"""Activations scaled by factors, beside random displacements that are as long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64, Int64

from polylens.analyses._changes.interventions import Intervention, Reached, RowChange
from polylens.records import Number
from polylens.statistics import Blocks, angles, bootstrap_interval, divergences, mean_intervals, metric_name
from polylens.streams import Streams

SCALED, DISPLACED = "scaled", "displaced"
EVERYTHING = ""
"""In the column `layer` of a table: all later layers together."""


UNITS = {
    "flipped_bits": "units",
    "angle": "degrees",
    "kl_divergence": "bits",
    "js_divergence": "bits",
    "output_angle": "degrees",
}
"""What a measure is counted in; others are shares."""


@dataclass(frozen=True)
class Measurements:
    """What scaling and displacing did to each row: flips, angles and divergences."""

    factors: tuple[float, ...]
    values: Mapping[tuple[str, str], Float64[np.ndarray, "kinds factors rows"]]
    """Values by measure and layer, first of `SCALED`, then of `DISPLACED` (the mean over draws). NaN: not
    defined."""

    def overall(self, measure: str, kind: str, *, blocks: Blocks, resamples: int, streams: Streams) -> Number:
        """The mean of a measure over rows and factors, all later layers together."""
        values = self.values[measure, EVERYTHING][(SCALED, DISPLACED).index(kind)].mean(0)
        means, (interval,), _ = mean_intervals(
            values[:, None], blocks=blocks, resamples=resamples, streams=streams
        )
        return Number(
            float(means[0]), interval.low, interval.high, interval.meaning, unit=UNITS.get(measure, "")
        )


def scale_by(factor: float) -> RowChange:
    """Multiplies rows by a factor."""

    def scale(values: torch.Tensor, rows: Int64[np.ndarray, "batch"]) -> torch.Tensor:
        del rows
        return values * factor

    return scale


def displacement(factor: float, *, draw: int, streams: Streams) -> RowChange:
    """Moves rows as far as the factor would, in a direction of its own for each row and draw."""

    def displace(values: torch.Tensor, rows: Int64[np.ndarray, "batch"]) -> torch.Tensor:
        drawn = torch.stack(
            [
                torch.randn(
                    values.shape[1:],
                    generator=streams.torch_generator("direction", int(row), draw),
                    dtype=torch.float64,
                )
                for row in rows
            ]
        ).to(values)
        lengths = abs(factor - 1) * values.norm(dim=-1, keepdim=True)
        moved: torch.Tensor = values + drawn / drawn.norm(dim=-1, keepdim=True) * lengths
        return moved

    return displace


def measure_changes(
    intervention: Intervention,
    chosen: Int64[np.ndarray, "chosen"],
    *,
    factors: Sequence[float],
    draws: int,
    streams: Streams,
    advance: Callable[[float], None],
) -> Measurements:
    """Scales and displaces the chosen rows, and measures what follows."""
    changes = [scale_by(factor) for factor in factors]
    for draw in range(draws):
        changes += [displacement(factor, draw=draw, streams=streams) for factor in factors]
    batches: dict[tuple[str, str], list[np.ndarray]] = {}
    order: list[np.ndarray] = []
    is_logits = intervention.output_is == "logits"
    for reached in intervention.batches(chosen, changes):
        order.append(reached.rows)
        for name, values in _measures(reached, is_logits=is_logits).items():
            batches.setdefault(name, []).append(values)
        advance(float(len(reached.rows)))
    back = np.argsort(np.concatenate(order), kind="stable")
    laid = {}
    for name, parts in batches.items():
        every = np.concatenate(parts, axis=1)[:, back].reshape(1 + draws, len(factors), -1)
        laid[name] = np.stack([every[0], every[1:].mean(0)])
    return Measurements(tuple(factors), laid)


def _measures(
    reached: Reached, *, is_logits: bool
) -> dict[tuple[str, str], Float64[np.ndarray, "changes batch"]]:
    """What each change does to each row of one batch: how far later units and the output are from before.

    The first change of `reached` changes nothing, and the others are compared with it.

    Args:
        reached: what the batch came to, change by change.
        is_logits: whether the output is logits; else it is a vector.

    Returns:
        By measure and layer, `EVERYTHING` for all later layers together.
    """
    flipped, shares, turned = {}, {}, {}
    for layer, codes in reached.regimes.items():
        flips = (codes[1:] != codes[:1]).sum(-1).astype(np.float64)
        flipped[layer], shares[layer] = flips, flips / codes.shape[-1]
    for layer, values in reached.activations.items():
        turned[layer] = angles(values[1:], np.broadcast_to(values[:1], values[1:].shape))
    measures = {("flipped_bits", layer): values for layer, values in flipped.items()}
    measures |= {("flipped_share", layer): values for layer, values in shares.items()}
    measures |= {("angle", layer): values for layer, values in turned.items()}
    if flipped:
        measures["flipped_bits", EVERYTHING] = np.sum(list(flipped.values()), axis=0)
        measures["flipped_share", EVERYTHING] = np.mean(list(shares.values()), axis=0)
    if turned:
        measures["angle", EVERYTHING] = np.mean(list(turned.values()), axis=0)
    before = np.broadcast_to(reached.output[:1], reached.output[1:].shape)
    after = reached.output[1:]
    if is_logits:
        changed = (after.argmax(-1) != before.argmax(-1)).astype(np.float64)
        kl, js = divergences(before, after)
        return measures | {
            ("changed_predictions", EVERYTHING): changed,
            ("kl_divergence", EVERYTHING): kl,
            ("js_divergence", EVERYTHING): js,
        }
    lengths = np.linalg.norm(before, axis=-1)
    moved = np.linalg.norm(after - before, axis=-1)
    relative = np.divide(moved, lengths, out=np.full_like(moved, np.nan), where=lengths > 0)
    return measures | {
        ("output_angle", EVERYTHING): angles(after, before),
        ("output_distance", EVERYTHING): relative,
    }


@dataclass(frozen=True)
class Summary:
    """Means over rows, with intervals over examples."""

    table: pd.DataFrame
    """One line a measure, layer, change and factor."""
    numbers: dict[str, Number]
    undefined: int
    """Angles that are not defined, since a vector is zero."""


def summarise(
    measurements: Measurements, *, blocks: Blocks, resamples: int, streams: Streams, shown: Sequence[str]
) -> Summary:
    """Means and intervals of everything that was measured.

    Args:
        measurements: of every row.
        blocks: of the same rows.
        resamples: of the examples.
        streams: of the resamples.
        shown: measures of which all layers together become numbers; of each also the ratio of scaling to
            displacement, over all factors.
    """
    keys = list(measurements.values)
    columns = np.stack([measurements.values[key] for key in keys]).reshape(-1, len(blocks.block)).T
    shape = (len(keys), 2, len(measurements.factors))
    of_key = np.repeat([measure for measure, _ in keys], shape[1] * shape[2])
    means, intervals, again = mean_intervals(
        columns,
        blocks=blocks,
        resamples=resamples,
        streams=streams,
        shares=np.flatnonzero(of_key == "changed_predictions").tolist(),
    )
    lines, numbers = [], {}
    for index, (key, kind, factor) in enumerate(np.ndindex(*shape)):
        (measure, layer), change = keys[key], (SCALED, DISPLACED)[kind]
        interval = intervals[index]
        lines.append(
            {
                "measure": measure,
                "layer": layer,
                "change": change,
                "factor": measurements.factors[factor],
                "value": means[index],
                "low": np.nan if interval.low is None else interval.low,
                "high": np.nan if interval.high is None else interval.high,
            }
        )
        if measure in shown and layer == EVERYTHING and np.isfinite(means[index]):
            name = metric_name(f"{change}_{measure}", f"x{measurements.factors[factor]:g}")
            numbers[name] = Number(
                float(means[index]),
                interval.low,
                interval.high,
                interval.meaning,
                unit=UNITS.get(measure, ""),
            )
    numbers |= _ratios(keys, means.reshape(shape), again.reshape(-1, *shape), shown=shown)
    undefined = sum(
        int(np.isnan(values).sum()) for (_, layer), values in measurements.values.items() if layer
    )
    return Summary(pd.DataFrame(lines), numbers, undefined)


def _ratios(
    keys: Sequence[tuple[str, str]],
    means: Float64[np.ndarray, "keys kinds factors"],
    again: Float64[np.ndarray, "resamples keys kinds factors"],
    *,
    shown: Sequence[str],
) -> dict[str, Number]:
    """What scaling does over what a displacement that is as long does, summed over factors."""
    numbers = {}
    for measure in shown:
        if (measure, EVERYTHING) not in keys:
            continue
        key = keys.index((measure, EVERYTHING))
        scaled, displaced = means[key].sum(-1)
        # Where a displacement changes nothing at all, there is nothing to compare with.
        if not displaced > 0:
            continue
        sums = again[:, key].sum(-1)
        interval = bootstrap_interval(one / other if other > 0 else None for one, other in sums)
        numbers[f"{measure}_ratio"] = Number(
            float(scaled / displaced), interval.low, interval.high, interval.meaning
        )
    return numbers
