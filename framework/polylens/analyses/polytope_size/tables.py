"""Tables of polytope sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from polylens.analyses import _probing as probing
from polylens.geometry import NearestBoundaries, Part, regimes
from polylens.progress import Progress
from polylens.records import Rows
from polylens.statistics import Neighbours

_CHUNK = 256
"""Points whose regimes are read together."""


def polytope_names(
    part: Part, points: Float32[np.ndarray, "rows ..."], progress: Progress
) -> Int64[np.ndarray, "layers rows"]:
    """A number for each row's code of each nonlinearity, and of all together in the last line."""
    count = len(part.nonlinearities)
    digests: list[list[bytes]] = [[] for _ in range(count + 1)]
    with progress.task("reading polytopes", total=len(points), unit="points") as task:
        for start in range(0, len(points), _CHUNK):
            piece = probing.tensor_of(points[start : start + _CHUNK]).to(part.device)
            codes, _ = regimes(part, piece)
            for row in range(len(piece)):
                own = [hashlib.sha256(np.ascontiguousarray(code[row]).tobytes()).digest() for code in codes]
                for layer, digest in enumerate([*own, b"".join(own)]):
                    digests[layer].append(digest)
            task.advance(len(piece))
    return np.stack(
        [np.unique(np.array([d.hex() for d in of]), return_inverse=True)[1].ravel() for of in digests]
    ).astype(np.int64)


def units_apart(
    part: Part,
    points: Float32[np.ndarray, "rows ..."],
    chosen: Int64[np.ndarray, "chosen"],
    other: Int64[np.ndarray, "chosen"],
) -> Float64[np.ndarray, "chosen"]:
    """How many units (and windows) are in another regime at the other row; NaN where there is none (-1)."""
    counts = np.full(len(chosen), np.nan)
    known = np.flatnonzero(other >= 0)
    for start in range(0, len(known), _CHUNK):
        of = known[start : start + _CHUNK]
        ends = [
            regimes(part, probing.tensor_of(points[rows[of]]).to(part.device))[0] for rows in (chosen, other)
        ]
        counts[of] = sum((one != two).sum(axis=1) for one, two in zip(*ends, strict=True))
    return counts


def point_table(
    rows: Rows,
    chosen: Int64[np.ndarray, "chosen"],
    boundaries: NearestBoundaries,
    near: Mapping[str, Neighbours],
    names: Int64[np.ndarray, "layers rows"],
) -> pd.DataFrame:
    """One line an example: how far its boundary and its neighbours are."""
    ids = np.array(rows.origins.example_ids, dtype=object)
    layers = [item.name for item in boundaries.nonlinearities]
    table = pd.DataFrame(
        {
            "example": ids[rows.origins.example[chosen]],
            "class": probing.class_names(rows, chosen),
            "boundary_distance": boundaries.distance,
            "boundary_of": ["" if index < 0 else layers[index] for index in boundaries.nonlinearity],
            "boundary_unit": boundaries.unit,
            "still": boundaries.still,
            "neighbour": ids[rows.origins.example[near["any"].row]],
            "neighbour_distance": near["any"].distance,
            "same_polytope": names[-1][chosen] == names[-1][near["any"].row],
        }
    )
    for kind in ("same", "other"):
        if kind in near:
            table[f"{kind}_class_distance"] = near[kind].distance
    return table


def class_table(table: pd.DataFrame) -> pd.DataFrame:
    """Median distances, class by class."""
    columns = [
        *("boundary_distance", "neighbour_distance", "same_class_distance", "other_class_distance"),
        *("neighbour_units", "same_class_units", "other_class_units"),
    ]
    grouped = table.groupby("class", sort=False)
    medians = grouped[columns].median()
    medians.insert(0, "points", grouped.size())
    medians["same_polytope"] = grouped["same_polytope"].mean()
    return medians.sort_index().reset_index()


def layer_table(
    part: Part,
    boundaries: NearestBoundaries,
    names: Int64[np.ndarray, "layers rows"],
    targets: Int64[np.ndarray, "rows"] | None,
    near: Neighbours,
    chosen: Int64[np.ndarray, "chosen"],
) -> pd.DataFrame:
    """One line a layer, and one for all: how often its boundary is the nearest, and who shares its code."""
    lines = []
    layers = [*(item.name for item in part.nonlinearities), "all"]
    for index, (layer, code) in enumerate(zip(layers, names, strict=True)):
        _, inverse, sizes = np.unique(code, return_inverse=True, return_counts=True)
        nearest = boundaries.nonlinearity == index if layer != "all" else np.isfinite(boundaries.distance)
        pairs = float((sizes * (sizes - 1.0)).sum())
        agreeing = np.nan
        if targets is not None and pairs:
            both = np.unique(np.stack([inverse.ravel(), targets]), axis=1, return_counts=True)[1]
            agreeing = float((both * (both - 1.0)).sum()) / pairs
        lines.append(
            {
                "layer": layer,
                "units": int(np.prod(part.shapes[layer])) if layer != "all" else 0,
                "nearest_boundaries": float(nearest.mean()),
                "distinct_codes": len(sizes) / len(code),
                "examples_sharing": float((sizes[inverse.ravel()] > 1).mean()),
                "neighbour_shares": float((code[chosen] == code[near.row]).mean()),
                "sharing_same_class": agreeing,
            }
        )
    table = pd.DataFrame(lines)
    table.loc[table["layer"] == "all", "units"] = int(table["units"].sum())
    return table
