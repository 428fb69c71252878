"""Which polytopes a plane passes: an exact picture of a two-dimensional slice.

1. The polygon is carried through the network and cut at every nonlinearity (`spreading`, `subdivision`).
2. A copy of the subdivision is cut further where another output becomes the largest (`leaders`).
3. A plain forward pass, which knows nothing of cuts, reads the code and the output inside each cell
   (`readings`).
4. With max-pooling, cells of one code are joined (`joining`), and step 3 is done again.
5. The certificate holds the result against what made no use of it: the areas' sum, Euler's formula, that no
   code is there twice, and that a cell's affine map gives what the network gives.

Invariants: cells are convex, cover the polygon, and share whole edges; the network is affine on each.

Cost: one forward pass for each vertex and one for each cell; memory as `memory` says, and for the vertices
and cells.
Source: decision 0008 for the walk; Humayun and others 2023, "SplineCam" (arXiv 2302.12828), draw the same
cells by another way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Float64, Int16, Int64, UInt64

from polylens.dataflow import Nonlinearity
from polylens.errors import UsageError
from polylens.geometry.joining import join_polygons
from polylens.geometry.leaders import Leaders, leaders
from polylens.geometry.readings import readings
from polylens.geometry.spreading import PolygonSpread
from polylens.geometry.subdivision import Cycles, Subdivision
from polylens.geometry.tape import Part
from polylens.kernels import patches


@dataclass(frozen=True)
class Certificate:
    """What must hold of a slice, measured on the result by means that did not make it."""

    area_error: float
    """How far the areas of all cells are from the area of the slice, as a share of it."""
    euler: int
    """Vertices - edges + cells; 1 for a subdivided polygon."""
    n_repeated_codes: int
    """Cells whose code, read at an interior point, another cell has too. Of a polytope there is one cell."""
    output_error: float
    """The largest difference of a cell's affine map from the network at an interior point, the mean of its
    vertices: there the map gives the mean of the outputs at them."""

    @property
    def holds(self) -> bool:
        """Whether everything is as it must be, to within rounding."""
        exact = self.area_error < 1e-9 and self.output_error < 1e-8
        return exact and self.euler == 1 and self.n_repeated_codes == 0


@dataclass(frozen=True, eq=False)
class Slice:
    """The polytopes that a polygon in a plane passes, each a convex cell.

    Places have two coordinates: the point is `origin + x * first + y * second`.
    """

    nonlinearities: tuple[Nonlinearity, ...]
    places: Float64[np.ndarray, "vertices 2"]
    cycles: Cycles
    """The vertices of each cell, in order around it, one cell after the other."""
    areas: Float64[np.ndarray, "cells"]
    """In units of the two directions."""
    small_codes: tuple[Int16[np.ndarray, "cells _"], ...]
    """By nonlinearity, every unit's regime in each cell, read at the mean of its vertices; none where they
    were not asked for."""
    outputs: Float64[np.ndarray, "vertices numbers"]
    """The network's output at the vertices; affine on each cell."""
    leaders: Leaders
    """The cells cut where another output becomes the largest."""
    certificate: Certificate
    n_computed: int
    """Points that operations after the last nonlinearity were run on."""
    largest_batch: int
    """The most points that any operation was run on at once."""
    exact: bool = True

    @cached_property
    def polygons(self) -> tuple[tuple[int, ...], ...]:
        """The vertices of each cell, in order around it."""
        cells = np.split(self.cycles.members, self.cycles.firsts[1:])
        return tuple(tuple(cell.tolist()) for cell in cells)

    @cached_property
    def codes(self) -> tuple[Int64[np.ndarray, "cells _"], ...]:
        """Every unit's regime in each cell, by nonlinearity, as 64-bit integers, like those of segments."""
        return tuple(code.astype(np.int64) for code in self.small_codes)

    @property
    def boundary(self) -> Float64[np.ndarray, "pieces 2 2"]:
        """The decision boundary: line segments (from, to); beyond each another output is the largest."""
        return self.leaders.boundary

    @property
    def edges(self) -> Float64[np.ndarray, "edges 2 2"]:
        """The boundaries between cells: line segments (from, to)."""
        ends, sides = self.cycles.edges()
        between: np.ndarray = self.places[ends[sides > 1]]
        return between

    @property
    def middles(self) -> Float64[np.ndarray, "cells 2"]:
        """A place inside each cell: the mean of its vertices."""
        return self.cycles.middles(self.places)

    def affine(self) -> Float64[np.ndarray, "cells 3 numbers"]:
        """Each cell's map from (1, x, y) to the output, read off three of its vertices."""
        # Three that lie well apart: of a thin triangle the slopes would be mostly rounding.
        corners = np.empty((len(self.areas), 3), dtype=np.int64)
        patches.widest_triangles(
            self.cycles.members, self.cycles.firsts, self.cycles.lengths, self.places, corners
        )
        start = self.places[corners[:, 0]]
        sides = self.places[corners[:, 1:]] - start[:, None]
        said = self.outputs[corners[:, 0]]
        slopes = np.linalg.solve(sides, self.outputs[corners[:, 1:]] - said[:, None])
        offsets = said[:, None] - start[:, None] @ slopes
        return np.concatenate([offsets, slopes], axis=1)


def plane_slice(
    part: Part,
    origin: Float[torch.Tensor, "..."],
    first: Float[torch.Tensor, "..."],
    second: Float[torch.Tensor, "..."],
    *,
    corners: Float64[np.ndarray, "corners 2"],
    memory: int = 2**24,
    keep_codes: bool = True,
) -> Slice:
    """Every polytope that a convex polygon of a plane passes.

    All vertices found so far are the batch. At each nonlinearity every polygon is cut along the lines where a
    unit passes its kink inside it, or a window changes its winner; values at new vertices are interpolated.
    Double precision throughout.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        origin: the point with the coordinates (0, 0), without the axis of examples.
        first: the direction of the first coordinate; not normalised.
        second: that of the second.
        corners: of the polygon in these coordinates, in order around it. For the triangle of three points a,
            b, c take `a`, `b - a`, `c - a` and the corners (0, 0), (1, 0), (0, 1).
        memory: bytes that the values alive in one batch may take, at each nonlinearity that waits; besides
            the vertices and cells themselves.
        keep_codes: whether every cell's code is kept; the certificate has read it in any case.

    Raises:
        UsageError: something in the part is not piecewise linear, or the points do not fit.
    """
    if part.obstacles:
        raise UsageError(f"no exact slice: {part.obstacles[0]}", hint="sampled codes go by sampling")
    frame = torch.stack([part.convert_point(point) for point in (origin, first, second)])

    def points(places: np.ndarray) -> torch.Tensor:
        # One product for all places: the point is the frame weighted by (1, x, y).
        coordinates = torch.as_tensor(places, dtype=torch.float64, device=part.device)
        weights = torch.cat([torch.ones_like(coordinates[:, :1]), coordinates], dim=1)
        return (weights @ frame.flatten(1)).reshape(-1, *part.shape)

    complete = Subdivision(np.asarray(corners, dtype=np.float64))
    total = float(complete.cycles().areas(complete.places).sum())
    spread = PolygonSpread(part, complete, memory=memory)
    outputs = _spread_outputs(spread, points, complete)
    cycles, places = complete.cycles(), complete.places.copy()
    where = leaders(complete, outputs)
    read = readings(part, points, cycles.middles(places), memory=memory, keep_codes=keep_codes)
    if any(item.role == "pool" for item in part.nonlinearities):
        # Lines between two elements of a window also cut where a third one is larger.
        cycles, used, cell = _join_cells(cycles, read.names)
        places, outputs, where = places[used], outputs[used], where.of_cells(cell)
        read = readings(part, points, cycles.middles(places), memory=memory, keep_codes=keep_codes)
    areas = cycles.areas(places)
    certificate = Certificate(
        # `total` is the area before anything was cut.
        area_error=abs(float(areas.sum()) / total - 1),
        euler=len(places) - len(cycles.edges()[0]) + len(areas),
        n_repeated_codes=len(areas) - len(np.unique(read.names)),
        output_error=float(np.abs(cycles.middles(outputs) - read.outputs).max()),
    )
    return Slice(
        nonlinearities=part.nonlinearities,
        places=places,
        cycles=cycles,
        areas=areas,
        small_codes=read.codes,
        outputs=outputs,
        leaders=where,
        certificate=certificate,
        n_computed=spread.n_rows,
        largest_batch=spread.largest,
    )


def _spread_outputs(
    spread: PolygonSpread, points: Callable[[np.ndarray], torch.Tensor], complete: Subdivision
) -> Float64[np.ndarray, "vertices numbers"]:
    """Cuts the subdivision at every nonlinearity, and gives the part's output at its vertices."""
    with torch.no_grad():
        groups = list(spread.run(points(complete.places)))
    # How many vertices there are is known when all groups are through.
    outputs = np.empty((len(complete.places), groups[0][1].shape[1]))
    for vertices, rows in groups:
        outputs[vertices] = rows
    return outputs


def _join_cells(
    cycles: Cycles, names: UInt64[np.ndarray, "polygons"]
) -> tuple[Cycles, Int64[np.ndarray, "kept"], Int64[np.ndarray, "polygons"]]:
    """Cells of one code made one, the vertices that are left, and the new cell of each old one."""
    polygons, part_of = join_polygons(
        [cell.tolist() for cell in np.split(cycles.members, cycles.firsts[1:])], names.tolist()
    )
    used, members = np.unique(np.concatenate(polygons), return_inverse=True)
    lengths = np.array([len(polygon) for polygon in polygons])
    return Cycles(members, np.cumsum(lengths) - lengths, lengths), used, np.array(part_of)
