"""Figures along paths and of planes: ordinary, extreme and degenerate inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.figures.clusters import HOSTILE, WIDE, Case

from polylens import figures
from polylens.figures import PlanePanel, PlanePoint


def plane_cases() -> dict[str, Case]:
    """Cases of `plane_slices` and `path_curves`."""
    f = figures
    digits = [str(digit) for digit in range(10)]
    point = PlanePoint(np.array([0.2, 0.3]), "3", np.full((8, 8, 3), 90, dtype=np.uint8))
    bare = PlanePoint(np.array([1.0, 1.0]), HOSTILE, np.zeros((0, 0, 3), dtype=np.uint8))
    along = {"heading": "Along the path", "note": "A note.", "along": "place", "height": "units crossed"}
    return {
        "planes": (
            f.plane_slices,
            ({"network": _grid(6), "random_init": _grid(2), "random_labels": _grid(9)}, [point, point]),
            {"names": digits, "heading": "A plane"},
        ),
        "planes of one cell, hostile names": (
            f.plane_slices,
            ({WIDE: _grid(1), HOSTILE: _grid(1)}, [bare, point]),
            {"names": [WIDE, HOSTILE] * 5, "heading": "A plane"},
        ),
        "planes of many variants": (
            f.plane_slices,
            ({f"{number} {WIDE}": _grid(3) for number in range(12)}, []),
            {"names": [f"{number} {HOSTILE}" for number in range(1000)], "heading": "A plane"},
        ),
        "planes of nothing": (f.plane_slices, ({}, []), {"names": [], "heading": "A plane"}),
        "paths": (
            f.path_curves,
            ({"network": _curves(["all layers", "hidden.1"]), "random_init": _curves(["all layers"])},),
            along,
        ),
        "paths around a place, with chance": (
            f.path_curves,
            ({"network": _curves(["all layers"], chance=True)},),
            {**along, "level": True},
        ),
        "paths, many layers with hostile names": (
            f.path_curves,
            ({WIDE: _curves([f"{number} {HOSTILE}" for number in range(40)]), HOSTILE: _curves([WIDE])},),
            along,
        ),
        "paths of nothing": (
            f.path_curves,
            ({"network": _curves(["all layers"]).assign(value=np.nan)},),
            along,
        ),
    }


def _grid(side: int) -> PlanePanel:
    """The unit square cut into equal squares, of which the outputs take turns."""
    at = np.arange(side) / side
    low = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 1, 2)
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    corners = low + square / side
    cells = np.arange(side**2)
    edges = np.stack([corners, np.roll(corners, -1, axis=1)], axis=2).reshape(-1, 2, 2)
    return PlanePanel(
        corners=corners.reshape(-1, 2),
        starts=4 * cells,
        output=cells % 10,
        cell=cells,
        edges=edges,
        decision=edges[: len(edges) // 2],
        square=square,
    )


def _curves(layers: list[str], *, chance: bool = False) -> pd.DataFrame:
    """A curve of either kind for each layer."""
    places = np.linspace(-0.5, 0.5, 9)
    value = 1 + 0.2 * np.sin(7 * places)
    more = {"chance_low": value - 0.3, "chance_high": value + 0.3, "reversed": value[::-1]} if chance else {}
    return pd.concat(
        [
            pd.DataFrame(
                {"kind": kind, "layer": layer, "at": places, "value": value}
                | {"low": value - 0.1, "high": value + 0.1}
                | more
            )
            for layer in layers
            for kind in ("same", "different")
        ],
        ignore_index=True,
    )
