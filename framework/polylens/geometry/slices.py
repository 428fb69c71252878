"""Which polytopes a plane passes: an exact picture of a two-dimensional slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from polylens.dataflow import Nonlinearity
from polylens.errors import UsageError
from polylens.geometry.joining import joined
from polylens.geometry.regimes import regimes
from polylens.geometry.spreading import Spread, cut_by_winners
from polylens.geometry.subdivision import Subdivision
from polylens.geometry.tape import Part


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
    polygons: tuple[tuple[int, ...], ...]
    """The vertices of each cell, in order around it."""
    areas: Float64[np.ndarray, "cells"]
    """In units of the two directions."""
    codes: tuple[Int64[np.ndarray, "cells _"], ...]
    """By nonlinearity, every unit's regime in each cell, read at the mean of its vertices."""
    outputs: Float64[np.ndarray, "vertices numbers"]
    """The network's output at the vertices; affine on each cell."""
    boundary: Float64[np.ndarray, "pieces 2 2"]
    """The decision boundary: line segments (from, to) between places of which another output is largest."""
    certificate: Certificate
    n_computed: int
    """Points that operations after the last nonlinearity were run on."""
    exact: bool = True

    def affine(self) -> Float64[np.ndarray, "cells 3 numbers"]:
        """Each cell's map from (1, x, y) to the output, by least squares over its vertices."""
        return _affine(self.places, self.polygons, self.outputs)


def plane_slice(
    part: Part,
    origin: Float[torch.Tensor, "..."],
    first: Float[torch.Tensor, "..."],
    second: Float[torch.Tensor, "..."],
    *,
    corners: Float64[np.ndarray, "corners 2"],
) -> Slice:
    """Every polytope that a convex polygon of a plane passes.

    All vertices found so far are the batch. At each nonlinearity every polygon is cut along the lines where a
    unit passes its kink inside it, or a window changes its winner; values at new vertices are interpolated.
    Memory grows with the vertices. Double precision throughout.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        origin: the point with the coordinates (0, 0), without the axis of examples.
        first: the direction of the first coordinate; not normalised.
        second: that of the second.
        corners: of the polygon in these coordinates, in order around it. For the triangle of three points a,
            b, c take `a`, `b - a`, `c - a` and the corners (0, 0), (1, 0), (0, 1).

    Raises:
        UsageError: something in the part is not piecewise linear, or the points do not fit.
    """
    if part.obstacles:
        raise UsageError(f"no exact slice: {part.obstacles[0]}", hint="sampled codes go by sampling")
    frame = torch.stack([part.prepared(point) for point in (origin, first, second)])

    def points(places: np.ndarray) -> torch.Tensor:
        coordinates = torch.as_tensor(places, dtype=torch.float64, device=part.device)
        weights = torch.cat([torch.ones_like(coordinates[:, :1]), coordinates], dim=1)
        return (weights @ frame.flatten(1)).reshape(-1, *part.shape)

    complete = Subdivision(np.asarray(corners, dtype=np.float64))
    total = float(complete.areas().sum())
    with torch.no_grad():
        outputs = Spread(part, complete).run(points(np.array(complete.places)))
    n_computed = len(complete.places)
    codes, _ = regimes(part, points(complete.middles(np.array(complete.places))))
    if any(item.role == "pool" for item in part.nonlinearities):
        # Lines between two elements of a window also cut where a third one is larger.
        complete.polygons = joined(complete.polygons, _names(codes, len(complete.polygons)))
    codes, at_middles = regimes(part, points(complete.middles(np.array(complete.places))))
    said = complete.middles(outputs)
    cells, areas, n_edges = complete.polygons, complete.areas(), len(complete.edges())
    boundary = _boundary(complete, outputs)
    used, flat = np.unique(np.concatenate([np.array(cell) for cell in cells]), return_inverse=True)
    ends = np.cumsum([len(cell) for cell in cells])[:-1]
    polygons = tuple(tuple(cell.tolist()) for cell in np.split(flat, ends))
    places, outputs = np.array(complete.places[:n_computed])[used], outputs[used]
    certificate = Certificate(
        area_error=abs(float(areas.sum()) / total - 1),
        euler=len(places) - n_edges + len(polygons),
        n_repeated_codes=len(polygons) - len(set(_names(codes, len(polygons)))),
        output_error=float(np.abs(said - at_middles.cpu().numpy()).max()),
    )
    return Slice(
        nonlinearities=part.nonlinearities,
        places=places,
        polygons=polygons,
        areas=areas,
        codes=tuple(codes),
        outputs=outputs,
        boundary=boundary,
        certificate=certificate,
        n_computed=n_computed,
    )


def _names(codes: list[Int64[np.ndarray, "cells _"]], cells: int) -> list[bytes]:
    """Each cell's code as something to compare."""
    return [b"".join(code[cell].tobytes() for code in codes) for cell in range(cells)]


def _affine(
    places: Float64[np.ndarray, "vertices 2"],
    polygons: tuple[tuple[int, ...], ...],
    outputs: Float64[np.ndarray, "vertices numbers"],
) -> Float64[np.ndarray, "cells 3 numbers"]:
    maps = np.empty((len(polygons), 3, outputs.shape[1]))
    for index, cell in enumerate(polygons):
        chosen = places[list(cell)]
        middle = chosen.mean(axis=0)
        around = np.column_stack([np.ones(len(cell)), chosen - middle])
        scale = np.abs(around[:, 1:]).max()
        around[:, 1:] /= scale
        found = np.linalg.lstsq(around, outputs[list(cell)], rcond=None)[0]
        found[1:] /= scale
        found[0] -= middle @ found[1:]
        maps[index] = found
    return maps


def _boundary(
    complete: Subdivision, outputs: Float64[np.ndarray, "vertices numbers"]
) -> Float64[np.ndarray, "pieces 2 2"]:
    """Where another output becomes the largest."""
    if outputs.shape[1] < 2:
        return np.empty((0, 2, 2))
    elements = np.arange(outputs.shape[1])[None]
    values = cut_by_winners(complete, outputs, elements)
    winners = complete.middles(values).argmax(axis=1)
    found: np.ndarray = np.array(complete.places)[complete.borders(winners)]
    return found
