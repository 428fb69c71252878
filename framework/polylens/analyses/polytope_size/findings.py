"""Distances from examples to the nearest boundary and to their neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Float64, Int64

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.analyses.polytope_size import tables
from polylens.errors import DataError
from polylens.geometry import NearestBoundaries, Part, nearest_boundaries
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import Neighbours, Shares, bootstrap_number, metric_name, nearest_neighbours
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.polytope_size import PolytopeSize


def polytope_size_findings(
    analysis: PolytopeSize, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Distances, shared polytopes, and which layer's boundary is the nearest."""
    part = probing.exact_part(probed, through=analysis.through, kind=analysis.kind())
    points = probing.whole_tensors(rows, part, kind=analysis.kind())
    if len(points) < 2:
        raise DataError("one example has no neighbour", hint="use more examples")
    chosen = probing.draw_rows(rows, count=analysis.points, generator=streams.generator("points"))
    boundaries = _boundaries(part, points[chosen], progress)
    targets = None if rows.targets is None else np.asarray(rows.targets)
    near = {"any": nearest_neighbours(points, of=chosen)}
    if targets is not None:
        near["same"] = nearest_neighbours(points, of=chosen, groups=targets, same=True)
        near["other"] = nearest_neighbours(points, of=chosen, groups=targets, same=False)
    names = tables.polytope_names(part, points, progress)
    random = _random_others(chosen, len(points), streams.generator("random pairs"))
    notes = _notes(boundaries, near["any"])
    table = tables.point_table(rows, chosen, boundaries, near, names)
    for kind, name in (("any", "neighbour"), ("same", "same_class"), ("other", "other_class")):
        if kind in near:
            table[f"{name}_units"] = tables.units_apart(part, points, chosen, near[kind].row)
    return Findings(
        numbers=_numbers(analysis, table, names, chosen, random, part, rows.origins.block[chosen], streams),
        tables={
            "points": table,
            "layers": tables.layer_table(part, boundaries, names, targets, near["any"], chosen),
        }
        | ({} if targets is None else {"classes": tables.class_table(table)}),
        notes=notes,
    )


def _boundaries(
    part: Part, points: Float32[np.ndarray, "points ..."], progress: Progress
) -> NearestBoundaries:
    pieces = []
    with progress.task("nearest boundaries", total=len(points), unit="points") as task:
        for start in range(0, len(points), 32):
            piece = probing.tensor_of(points[start : start + 32])
            pieces.append(nearest_boundaries(part, piece))
            task.advance(len(piece))
    columns = ("distance", "nonlinearity", "unit", "after", "normal", "still")
    joined = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in columns}
    return NearestBoundaries(part.nonlinearities, **joined)


def _numbers(
    analysis: PolytopeSize,
    table: pd.DataFrame,
    names: Int64[np.ndarray, "layers rows"],
    chosen: Int64[np.ndarray, "chosen"],
    random: Int64[np.ndarray, "chosen"],
    part: Part,
    block: Int64[np.ndarray, "chosen"],
    streams: Streams,
) -> dict[str, Number]:
    whole = names[-1]

    def number(name: str, values: Float64[np.ndarray, "n"], *, unit: str = "") -> Number:
        generator = streams.generator("resample", name)
        return bootstrap_number(
            values, np.median, resamples=analysis.resamples, generator=generator, unit=unit
        )

    def share(hits: Bool[np.ndarray, "n"], *, chance: float, chance_is: str) -> Number:
        (interval,) = Shares.of(hits, example=block).intervals()
        return Number(
            float(hits.mean()),
            interval.low,
            interval.high,
            interval.meaning,
            chance=chance,
            chance_is=chance_is,
        )

    numbers: dict[str, Number] = {}
    for name in ("boundary", "neighbour", "same_class", "other_class"):
        column = f"{name}_distance"
        if column in table and np.isfinite(table[column]).any():
            numbers[column] = number(column, table[column].to_numpy(np.float64))
        column = f"{name}_units"
        if column in table and table[column].notna().any():
            values = table[column].dropna().to_numpy(np.float64)
            numbers[column] = number(column, values, unit="units")
    times = _times(table)
    if len(times):
        numbers["neighbour_over_boundary"] = number("neighbour_over_boundary", times)
    numbers["same_polytope"] = share(
        table["same_polytope"].to_numpy(bool),
        chance=float((whole[chosen] == whole[random]).mean()),
        chance_is="the same for a random other example",
    )
    numbers["distinct_polytopes"] = Number(len(np.unique(whole)) / len(whole))
    numbers["unbounded_points"] = Number(
        float((~np.isfinite(table["boundary_distance"])).sum()), unit="points"
    )
    numbers["exact"] = Number(1.0)
    units = np.array([np.prod(part.shapes[item.name]) for item in part.nonlinearities], dtype=np.float64)
    for item, count in zip(part.nonlinearities, units, strict=True):
        numbers[metric_name("boundary_of", item.name)] = share(
            (table["boundary_of"] == item.name).to_numpy(bool),
            chance=float(count / units.sum()),
            chance_is="the layer's share of all units",
        )
    return numbers


def _times(table: pd.DataFrame) -> Float64[np.ndarray, "defined"]:
    """How many times as far as the boundary the nearest example is; infinite for points on a boundary."""
    boundary = table["boundary_distance"].to_numpy(np.float64)
    neighbour = table["neighbour_distance"].to_numpy(np.float64)
    defined = (boundary > 0) | (neighbour > 0)
    times = np.full(len(table), np.inf)
    np.divide(neighbour, boundary, out=times, where=boundary > 0)
    return times[defined]


def _random_others(
    chosen: Int64[np.ndarray, "chosen"], n_rows: int, generator: np.random.Generator
) -> Int64[np.ndarray, "chosen"]:
    """Another row for each, any of them."""
    return np.asarray((chosen + generator.integers(1, n_rows, size=len(chosen))) % n_rows, dtype=np.int64)


def _notes(boundaries: NearestBoundaries, near: Neighbours) -> tuple[str, ...]:
    notes = []
    unbounded = int((~np.isfinite(boundaries.distance)).sum())
    if unbounded:
        notes.append(
            f"{unbounded} points lie in a polytope without any boundary: their distance is infinite."
        )
    on = int((boundaries.distance == 0).sum())
    if on:
        notes.append(f"{on} points lie on a boundary: every neighbour is infinitely many times as far.")
    equal = int((near.distance == 0).sum())
    if equal:
        notes.append(f"{equal} points equal their nearest neighbour, which is 0 times as far as a boundary.")
    return tuple(notes)
