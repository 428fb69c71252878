"""Squares in planes through examples, and what is counted in them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.analyses.slice import frames, tables
from polylens.analyses.slice.frames import Frame
from polylens.geometry import Part, plane_slice
from polylens.geometry import Slice as Found
from polylens.progress import Progress
from polylens.records import Findings, Number, Rows
from polylens.statistics import bootstrap_number
from polylens.streams import Streams
from polylens.wording import at_axis

if TYPE_CHECKING:
    from polylens.analyses.slice import PlaneSlice


def slice_findings(
    analysis: PlaneSlice, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Counts, areas and lengths of every slice, and the first one whole."""
    part = probing.exact_part(probed, through=analysis.through, kind=analysis.kind())
    points = probing.whole_tensors(rows, part, kind=analysis.kind())
    lines: list[dict[str, object]] = []
    first: tuple[Frame, Found] | None = None
    with progress.task("slices", total=analysis.slices, unit="slices") as task:
        for number in range(analysis.slices):
            generator = streams.generator("plane", number)
            if analysis.plane == "examples":
                frame = frames.through_examples(
                    rows,
                    points,
                    analysis.classes,
                    examples=analysis.examples if number == 0 else None,
                    centre=partial(_switch, part) if analysis.around == "switch" else None,
                    reach=analysis.reach,
                    margin=analysis.margin,
                    generator=generator,
                )
            else:
                frame = frames.along_directions(points, reach=analysis.reach, generator=generator)
            plane = _slice(part, frame)
            lines.append(tables.slice_line(rows, frame, plane, near=analysis.near))
            first = first or (frame, plane)
            task.advance()
    assert first is not None
    table = pd.DataFrame(lines)
    notes = []
    if analysis.plane == "examples" and analysis.reach < 1:
        notes.append(_part_of_plane(analysis))
    undecided = int((table["decision_length"] == 0).sum())
    if undecided:
        notes.append(f"In {undecided} of {len(table)} slices nothing changes the prediction.")
    return Findings(
        numbers=_numbers(analysis, table, streams),
        tables={"slices": table} | tables.picture_tables(rows, probed, part, *first),
        notes=tuple(notes),
    )


def _part_of_plane(analysis: PlaneSlice) -> str:
    if analysis.around == "first":
        return (
            "Of each plane the part nearest the first example: the corners that stand for the other two lie "
            f"{at_axis(analysis.reach)} of the way to them."
        )
    return (
        "Of each plane the part around the first change of the prediction on the way from the first example "
        "to the second: the points that stand for the examples lie "
        f"{at_axis(analysis.reach)} of the way to them."
    )


def _switch(part: Part, first: np.ndarray, second: np.ndarray) -> float:
    """The first place where the prediction changes, as a share of the way; its middle where it never does.

    Looked for at 257 places, then by halving: the square that is laid around it is exact wherever it lies.
    """

    def winners(places: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            ends = (probing.tensor_of(point).to(part.device) for point in (first, second))
            start, end = ends
            found = [part.forward(torch.lerp(start, end, float(place))[None]).argmax() for place in places]
        return torch.stack(found).cpu().numpy()

    grid = np.linspace(0.0, 1.0, 257)
    seen = winners(grid)
    changes = np.flatnonzero(seen[1:] != seen[:-1])
    if not len(changes):
        return 0.5
    low, high = grid[changes[0]], grid[changes[0] + 1]
    for _ in range(30):
        middle = (low + high) / 2
        if winners(np.array([middle]))[0] == seen[changes[0]]:
            low = middle
        else:
            high = middle
    return float(high)


def _slice(part: Part, frame: Frame) -> Found:
    widest = max(int(np.prod(part.shapes[item.name])) for item in part.nonlinearities)
    return plane_slice(
        part,
        *(probing.tensor_of(point) for point in (frame.origin, frame.across, frame.up)),
        corners=frame.square,
        # At least 128 vertices in a batch.
        memory=max(2**24, 128 * 8 * widest),
        keep_codes=False,
    )


def _numbers(analysis: PlaneSlice, table: pd.DataFrame, streams: Streams) -> dict[str, Number]:
    def number(name: str, columns: list[str], chance: float | None = None) -> Number:
        def measure(values: np.ndarray) -> float:
            means = values.mean(axis=0)
            if len(means) == 1:
                return float(means[0])
            return float(means[0] / means[1]) if means[1] > 0 else float("nan")

        return bootstrap_number(
            table[columns].to_numpy(np.float64),
            measure,
            resamples=analysis.resamples,
            generator=streams.generator("resample", name),
            chance=chance,
            chance_is="the decision boundary turned and mirrored within the square",
        )

    decided = table[table["decision_length"] > 0]
    numbers = {
        "cells": number("cells", ["cells"]),
        "median_cell_share": number("median_cell_share", ["median_cell_share"]),
        "regions": number("regions", ["regions"]),
        "cells_per_region": number("cells_per_region", ["cells_per_region"]),
        "certificate_holds": Number(float(table["certificate_holds"].mean())),
        "area_error": Number(float(table["area_error"].max())),
        "euler": Number(float(table["euler"].mean())),
        "repeated_codes": Number(float(table["repeated_codes"].sum())),
        "output_error": Number(float(table["output_error"].max())),
        "names_polytopes": Number(1.0),
        "exact": Number(1.0),
        "undecided_slices": Number(float(len(table) - len(decided)), unit="slices"),
    }
    if len(decided):
        table = decided
        chance = float(decided["near_mirrored"].mean())
        numbers["near_decision"] = number("near_decision", ["near_decision"], chance)
        if chance > 0:
            numbers["near_decision_ratio"] = number(
                "near_decision_ratio", ["near_decision", "near_mirrored"], 1.0
            )
    return numbers
