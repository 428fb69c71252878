"""A polygon's corners with the rows of their values: what the rules for cutting look at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from polylens.kernels.compiling import compiled_inline
from polylens.kernels.halfedges import ORIGIN, Mesh, list_around, with_room


class Outline(NamedTuple):
    """The corners of one polygon, in order around it; the arrays are longer than `n_corners`."""

    border: np.ndarray
    """`corners`, int64: the half-edge that starts at each."""
    rows: np.ndarray
    """`corners`, int64: the row of each in the table of values."""
    heights: np.ndarray
    """`corners`, float64: how far above the line to cut along, in the unit of the values; filled when the
    line is known."""
    n_corners: int
    """How many corners there are."""


@compiled_inline
def read_rows(mesh: Mesh, polygon: int, room: Outline) -> Outline:
    """The corners of a polygon and their rows, in the arrays of `room` or in longer ones."""
    border, count = list_around(mesh.half, mesh.first[polygon], room.border)
    rows, heights = with_room(room.rows, 0, count), with_room(room.heights, 0, count)
    half, row_of = mesh.half, mesh.row_of
    for corner in range(count):
        rows[corner] = row_of[half[border[corner], ORIGIN]]
    return Outline(border, rows, heights, count)
