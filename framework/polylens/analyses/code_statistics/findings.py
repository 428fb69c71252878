"""How codes of rows differ, and how often they come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from polylens.analyses._pairs import SIDES
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Codes, Findings, Number, Rows
from polylens.statistics import (
    Blocks,
    LayerActivity,
    bootstrap_interval,
    class_pairs,
    code_distances,
    distinct_codes,
    layer_activities,
    metric_name,
    row_pairs,
)
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.code_statistics import CodeStatistics


def code_statistics_findings(
    analysis: CodeStatistics, rows: Rows, *, streams: Streams, progress: Progress
) -> Findings:
    """Counts over all rows, and distances of drawn pairs with intervals over examples."""
    codes = rows.codes
    if codes is None or not len(rows):
        raise DataError("these rows carry no codes", hint="give the spec a 'code:'")
    activities = layer_activities(codes)
    signs = [each for each in activities if each.layer.kind == "sign"]
    distinct = distinct_codes(codes)
    notes: list[str] = []
    numbers = {
        "distinct_codes": Number(float(distinct), unit="codes"),
        "distinct_fraction": Number(distinct / len(rows)),
        "near_boundary_fraction": Number(codes.near_boundary_fraction),
        "names_polytopes": Number(float(codes.scheme.names_polytopes)),
    }
    bits = sum(each.layer.bits for each in signs)
    if bits:
        on = sum(each.always_on_fraction * each.layer.bits for each in signs) / bits
        off = sum(each.always_off_fraction * each.layer.bits for each in signs) / bits
        active = sum(each.active_fraction * each.layer.bits for each in signs) / bits
        numbers["active_fraction"] = Number(active)
        numbers["always_on_fraction"] = Number(on)
        numbers["always_off_fraction"] = Number(off)
        numbers["constant_fraction"] = Number(on + off)
    distances = _distances(analysis, rows, codes, streams, progress, notes)
    return Findings(
        numbers=numbers | distances,
        tables={"layers": _layer_table(activities, distances)},
        notes=tuple(notes),
    )


def _distances(
    analysis: CodeStatistics, rows: Rows, codes: Codes, streams: Streams, progress: Progress, notes: list[str]
) -> dict[str, Number]:
    """Mean code distance of same-class and of different-class pairs, pooled and by layer."""
    if rows.targets is None:
        notes.append("These rows have no classes: there are no same-class and different-class pairs.")
        return {}
    blocks = Blocks.of(rows.origins.block)
    classes = np.asarray(rows.targets)[blocks.first]
    names = [(), *((layer.name,) for layer in codes.scheme.layers)]
    numbers: dict[str, Number] = {}
    for side in SIDES:
        generator = streams.generator("pairs", side)
        examples = class_pairs(classes, same=side == "same", count=analysis.pairs, generator=generator)
        if not len(examples):
            notes.append(f"There is no {side}-class pair.")
            continue
        if len(examples) < analysis.pairs:
            notes.append(f"Only {len(examples)} {side}-class pairs exist; all were taken.")
        by_layer = code_distances(codes, pairs=row_pairs(examples, blocks=blocks, generator=generator))
        values = np.concatenate([by_layer.mean(1, keepdims=True), by_layer], axis=1)
        again = []
        with progress.task("resampling pairs", total=analysis.resamples, unit="resamples") as task:
            for number in range(analysis.resamples):
                times = blocks.multiplicities(streams.generator("resample", number))
                weights = examples.weights(times)
                if weights.any():
                    again.append(np.average(values, axis=0, weights=weights))
                task.advance()
        for index, name in enumerate(names):
            interval = bootstrap_interval(each[index] for each in again)
            numbers[metric_name(f"{side}_class_distance", *name)] = Number(
                float(values[:, index].mean()), interval.low, interval.high, interval.meaning
            )
    return numbers


def _layer_table(activities: Sequence[LayerActivity], distances: Mapping[str, Number]) -> pd.DataFrame:
    """One line a layer of the code."""
    lines = []
    for each in activities:
        line: dict[str, object] = {
            "layer": each.layer.name,
            "kind": each.layer.kind,
            "units": each.layer.units,
        }
        sign = each.layer.kind == "sign"
        for name in ("active_fraction", "always_on_fraction", "always_off_fraction"):
            line[name] = getattr(each, name) if sign else np.nan
        for side in SIDES:
            number = distances.get(metric_name(f"{side}_class_distance", each.layer.name))
            line[side] = np.nan if number is None else number.value
            line[f"{side}_low"] = np.nan if number is None or number.low is None else number.low
            line[f"{side}_high"] = np.nan if number is None or number.high is None else number.high
        lines.append(line)
    return pd.DataFrame(lines)
