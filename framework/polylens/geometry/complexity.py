"""Local complexity: how many boundaries pass close to a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from polylens.geometry.regimes import regimes
from polylens.geometry.segments import segment_crossings
from polylens.geometry.tape import Part


@dataclass(frozen=True, eq=False)
class LocalComplexity:
    """Boundaries near one point, by nonlinearity."""

    sampled: dict[str, int]
    """Units (or windows) whose regime differs between the vertices of the frame."""
    crossed: dict[str, Int64[np.ndarray, "directions"]]
    """Boundaries crossed on the way from the one vertex of each direction, through the point, to the other;
    empty where the part is not piecewise linear."""
    exact: bool


def random_frame(
    width: int, *, directions: int, generator: torch.Generator
) -> Float64[torch.Tensor, "directions width"]:
    """Orthonormal directions, uniformly drawn.

    >>> frame = random_frame(5, directions=3, generator=torch.Generator().manual_seed(0))
    >>> torch.allclose(frame @ frame.T, torch.eye(3, dtype=torch.float64))
    True
    """
    drawn = torch.randn(width, directions, generator=generator, dtype=torch.float64)
    frame, triangle = torch.linalg.qr(drawn)
    # Without the signs of the triangle's diagonal the directions would not be uniform.
    uniform: torch.Tensor = frame * torch.sign(torch.diagonal(triangle))
    return uniform.T


def local_complexity(
    part: Part,
    point: Float[torch.Tensor, "..."],
    *,
    radius: float,
    directions: int,
    generator: torch.Generator,
) -> LocalComplexity:
    """How many boundaries pass a cross-polytope around a point, by its vertices and exactly along its axes.

    The vertices are `point +- radius * direction`. By sampling, a unit counts once if its regime is not the
    same at all of them; exactly, every crossing along each axis counts, also those that a unit takes back.

    Args:
        part: of a recorded network, from the layer that the point belongs to.
        point: a tensor of that layer, without the axis of examples.
        radius: in units of the layer's space.
        directions: axes of the cross-polytope, at most the layer's width.
        generator: draws them, on the CPU.

    Source: Humayun, Balestriero and Baraniuk 2024, "Deep Networks Always Grok and Here is Why", who
        count the units whose hyperplanes pass the convex hull of the vertices in each layer's own space.
    Departs: regimes are those of the network itself at the vertices, not of the vertices' hull deformed layer
        by layer; windows of max-pooling count as well.
    """
    centre = part.prepared(point)
    frame = random_frame(centre.numel(), directions=directions, generator=generator)
    frame = radius * frame.to(centre.device).reshape(-1, *centre.shape)
    codes, _ = regimes(part, torch.cat([centre + frame, centre - frame]))
    names = [item.name for item in part.nonlinearities]
    sampled = {
        name: int((code != code[0]).any(axis=0).sum()) for name, code in zip(names, codes, strict=True)
    }
    if part.obstacles:
        return LocalComplexity(sampled, {}, exact=False)
    counts = [
        segment_crossings(part, centre - axis, centre + axis, keep_outputs=False).counts() for axis in frame
    ]
    crossed = {name: np.array([count[name] for count in counts], dtype=np.int64) for name in names}
    return LocalComplexity(sampled, crossed, exact=True)
