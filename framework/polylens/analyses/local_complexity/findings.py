"""Boundaries counted around examples and around random points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Float64, Int64

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.errors import DataError
from polylens.geometry import Part, local_complexities, random_frame
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import bootstrap_number, metric_name, nearest_neighbours, rank_correlation
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.local_complexity import LocalComplexity


def local_complexity_findings(
    analysis: LocalComplexity, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Counts at every radius, of all layers and of each."""
    part = probing.record_part(probed, through=analysis.through)
    points = probing.whole_tensors(rows, part, kind=analysis.kind())
    chosen = probing.draw_rows(rows, count=analysis.points, generator=streams.generator("points"))
    width = int(np.prod(part.shape))
    frame = random_frame(
        width, directions=min(analysis.directions, width), generator=streams.torch_generator("directions")
    )
    unit = _unit(analysis, points, chosen)
    low, high = points.min(axis=0), points.max(axis=0)
    drawn = streams.generator("random points").uniform(low, high, size=(len(chosen), *part.shape))
    ids = np.array(rows.origins.example_ids, dtype=object)[rows.origins.example[chosen]]
    names = probing.class_names(rows, chosen)
    lines = []
    with progress.task("counting boundaries", total=2 * len(chosen), unit="points") as task:
        for index, name in enumerate(names):
            lines += _count_around(
                analysis, part, points[chosen[index]], frame, unit, "example", ids[index], name
            )
            lines += _count_around(
                analysis, part, drawn[index].astype(np.float32), frame, unit, "random point", "", ""
            )
            task.advance(2)
    table = pd.DataFrame(lines)
    notes = [] if not part.obstacles else [f"Nothing exact is known: {part.obstacles[0]}."]
    if len(frame) < analysis.directions:
        notes.append(f"The layer has {len(frame)} numbers: so many directions were taken.")
    return Findings(
        numbers={"radius_unit": Number(unit)} | _numbers(analysis, table, part, streams),
        tables={"points": table, "layers": _layer_table(table), "classes": _class_table(table)},
        notes=tuple(notes),
    )


def _unit(
    analysis: LocalComplexity, points: Float32[np.ndarray, "rows ..."], chosen: Int64[np.ndarray, "chosen"]
) -> float:
    """What a radius of 1 is in the layer's space."""
    if analysis.radii_in == "space":
        return 1.0
    unit = float(np.median(nearest_neighbours(points, of=chosen).distance))
    if not 0 < unit < np.inf:
        raise DataError(
            "most examples equal another one, or there is only one: radii have no unit",
            hint="say radii_in: space",
        )
    return unit


def _count_around(
    analysis: LocalComplexity,
    part: Part,
    point: Float32[np.ndarray, "..."],
    frame: Float64[torch.Tensor, "directions width"],
    unit: float,
    at: str,
    example: str,
    name: str,
) -> list[dict[str, object]]:
    """One line for each radius and layer, and one for all layers."""
    lines: list[dict[str, object]] = []
    radii = [unit * radius for radius in analysis.radii]
    by_radius = local_complexities(part, probing.tensor_of(point), radii=radii, frame=frame)
    for radius, counts in zip(analysis.radii, by_radius, strict=True):
        each = [
            {
                "sampled": counts.sampled[layer],
                "met": counts.met[layer] if counts.exact else np.nan,
                "crossed": counts.crossed[layer].mean() if counts.exact else np.nan,
            }
            for layer in counts.sampled
        ]
        every = {column: sum(line[column] for line in each) for column in ("sampled", "met", "crossed")}
        for layer, line in zip([*counts.sampled, "all"], [*each, every], strict=True):
            about = {"at": at, "example": example, "class": name, "radius": radius, "layer": layer}
            lines.append({**about, **line})
    return lines


def _numbers(
    analysis: LocalComplexity, table: pd.DataFrame, part: Part, streams: Streams
) -> dict[str, Number]:
    def means(values: Float64[np.ndarray, "n two"]) -> float:
        below = values[:, 1].mean()
        return float(values[:, 0].mean() / below) if below > 0 else float("nan")

    def correlation(values: Float64[np.ndarray, "n two"]) -> float:
        return rank_correlation(values[:, 0], values[:, 1])

    numbers: dict[str, Number] = {}
    for radius in analysis.radii:
        here = table[table["radius"] == radius]
        suffix = () if radius == analysis.radii[0] else (f"r{radius:g}",)
        example, random = (here[here["at"] == at] for at in ("example", "random point"))
        every, beside = (part[part["layer"] == "all"] for part in (example, random))

        def number(name: str, values: object, measure: object, of: tuple[str, ...] = suffix) -> None:
            resampled = bootstrap_number(
                np.asarray(values, dtype=np.float64),
                measure,  # type: ignore[arg-type]
                resamples=analysis.resamples,
                generator=streams.generator("resample", name, *of),
            )
            if np.isfinite(resampled.value):
                numbers[metric_name(name, *of)] = resampled

        for column in ("sampled", "met", "crossed"):
            number(column, every[column], np.mean)
        both = np.stack([every["sampled"], beside["sampled"]], axis=1)
        number("over_random_points", both, means)
        number("sampled_finds", every[["sampled", "met"]], means)
        number("correlation", every[["sampled", "crossed"]], correlation)
        for layer in () if suffix else here["layer"].unique():
            if layer != "all":
                number("sampled", example.loc[example["layer"] == layer, "sampled"], np.mean, (layer,))
    numbers["exact"] = Number(float(not part.obstacles))
    return numbers


def _layer_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean counts by where points lie, radius and layer."""
    columns = ["sampled", "met", "crossed"]
    return table.groupby(["at", "radius", "layer"], sort=False)[columns].mean().reset_index()


def _class_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean counts around examples by class, radius and layer."""
    columns = ["sampled", "met", "crossed"]
    examples = table[table["at"] == "example"]
    return examples.groupby(["class", "radius", "layer"], sort=True)[columns].mean().reset_index()
