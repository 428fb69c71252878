"""Tables of slices."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from polylens.analyses import Probed
from polylens.analyses import _probing as probing
from polylens.analyses.slice.frames import Frame
from polylens.geometry import Part, Slice
from polylens.geometry.nearness import mirror, share_near
from polylens.records import Context, Rows

_THUMBNAIL = 80
"""Pixels of a side of an example's picture, at most."""


def slice_line(rows: Rows, frame: Frame, plane: Slice, *, near: float) -> dict[str, object]:
    """What there is to say of one slice."""
    radius, corner = near * frame.side, frame.square[0]
    others = mirror(plane.boundary, corner=corner, side=frame.side)
    seal = plane.certificate
    meets = np.unique(np.column_stack([plane.leaders.region, plane.leaders.cell]), axis=0)
    return {
        "examples": ", ".join(example_ids(rows, frame)),
        "classes": ", ".join(class_of(rows, row) for row in frame.rows),
        "side": frame.side,
        "cells": len(plane.areas),
        "median_cell_share": float(np.median(plane.areas) / frame.side**2),
        "regions": int(plane.leaders.region.max()) + 1,
        "cells_per_region": float(np.bincount(meets[:, 0]).mean()),
        "boundary_length": _length(plane.edges),
        "decision_length": _length(plane.boundary),
        "near_decision": share_near(plane.edges, plane.boundary, radius=radius),
        "near_mirrored": float(np.mean([share_near(plane.edges, way, radius=radius) for way in others])),
        "certificate_holds": seal.holds,
        "area_error": seal.area_error,
        "euler": seal.euler,
        "repeated_codes": seal.n_repeated_codes,
        "output_error": seal.output_error,
        "vertices": len(plane.places),
        "computed_vertices": plane.n_computed,
    }


def picture_tables(
    rows: Rows, probed: Probed, part: Part, frame: Frame, plane: Slice
) -> dict[str, pd.DataFrame]:
    """One slice whole: its cells; and what is needed to draw it."""
    pieces = plane.leaders
    middles = plane.middles
    winner = np.empty(len(plane.areas), dtype=np.int64)
    sizes = pieces.cycles.areas(pieces.places)
    order = np.argsort(sizes, kind="stable")
    winner[pieces.cell[order]] = pieces.winner[order]
    names = probing.output_names(probed.network, rows, plane.outputs.shape[1])
    tables = {
        "cells": pd.DataFrame(
            {
                "cell": np.arange(len(plane.areas)),
                "x": middles[:, 0],
                "y": middles[:, 1],
                "area_share": plane.areas / frame.side**2,
                "corners": plane.cycles.lengths,
                "class": [names[output] for output in winner],
                "predictions": np.bincount(
                    np.unique(np.column_stack([pieces.cell, pieces.winner]), axis=0)[:, 0]
                ),
            }
        ),
        "pieces": pd.DataFrame(
            {
                "piece": np.repeat(np.arange(len(pieces.winner)), pieces.cycles.lengths),
                "cell": np.repeat(pieces.cell, pieces.cycles.lengths),
                "output": np.repeat(pieces.winner, pieces.cycles.lengths),
                "x": pieces.places[pieces.cycles.members, 0],
                "y": pieces.places[pieces.cycles.members, 1],
            }
        ),
        "edges": _lines(plane.edges),
        "decision": _lines(plane.boundary),
        "outputs": pd.DataFrame({"output": np.arange(len(names)), "name": names}),
        "examples": pd.DataFrame(
            {
                "example": example_ids(rows, frame),
                "class": [class_of(rows, row) for row in frame.rows],
                "x": frame.places[:, 0],
                "y": frame.places[:, 1],
            }
        ),
        "square": pd.DataFrame({"x": frame.square[:, 0], "y": frame.square[:, 1]}),
    }
    pixels = [_pixels(probed, int(rows.origins.example[row])) for row in frame.rows]
    tables["pixels"] = pd.concat([_pixel_table(number, each) for number, each in enumerate(pixels)])
    return tables


def example_ids(rows: Rows, frame: Frame) -> list[str]:
    """The ids of the examples that a plane is laid through."""
    return [rows.origins.example_ids[rows.origins.example[row]] for row in frame.rows]


def class_of(rows: Rows, row: int) -> str:
    """The class of a row in words; empty where rows have none."""
    return "" if rows.targets is None else rows.classes[rows.targets[row]]


def _length(lines: np.ndarray) -> float:
    return float(np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1).sum())


def _lines(lines: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {name: lines[:, end, axis] for end, axis, name in
         ((0, 0, "from_x"), (0, 1, "from_y"), (1, 0, "to_x"), (1, 1, "to_y"))}
    )  # fmt: skip


def _pixels(probed: Probed, example: int) -> np.ndarray:
    """The picture of an example; nothing where it has none."""
    shown = probed.examples.context(example)
    empty = np.empty((0, 0, 3), dtype=np.uint8)
    if not isinstance(shown, Context):
        return empty
    try:
        image = Image.open(io.BytesIO(shown.png)).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError):
        return empty
    if max(image.size) > _THUMBNAIL:
        share = _THUMBNAIL / max(image.size)
        smaller = tuple(max(1, round(share * extent)) for extent in image.size)
        image = image.resize((smaller[0], smaller[1]), Image.Resampling.BOX)
    return np.asarray(image)


def _pixel_table(number: int, pixels: np.ndarray) -> pd.DataFrame:
    row, column = np.indices(pixels.shape[:2]).reshape(2, -1)
    red, green, blue = pixels.reshape(-1, 3).T
    return pd.DataFrame(
        {"number": number, "row": row, "column": column, "red": red, "green": green, "blue": blue}
    )
