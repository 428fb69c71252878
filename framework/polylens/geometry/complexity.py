"""Local complexity: how many boundaries pass close to a point.

1. Orthonormal directions are drawn uniformly: the Q of a Gaussian matrix, with the signs of R's diagonal.
2. By sampling: the network is run at both ends of every direction, and a unit counts whose regime is not
   the same at all of them.
3. Exactly: every direction is walked as one segment at the largest radius (`segments`), and what is crossed
   within a smaller one is counted by its position.

Invariant: a unit that sampling counts is met exactly as well, along the directions of the two ends that
differ.

Cost: two forward passes a direction and radius; one walk a direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from polylens.errors import UsageError
from polylens.geometry.regimes import regimes
from polylens.geometry.segments import segments_crossings
from polylens.geometry.tape import Part


@dataclass(frozen=True, eq=False)
class PointComplexity:
    """Boundaries near one point, by nonlinearity."""

    sampled: dict[str, int]
    """Units (or windows) whose regime differs between the vertices of the frame."""
    crossed: dict[str, Int64[np.ndarray, "directions"]]
    """Boundaries crossed on the way from the one vertex of each direction, through the point, to the other;
    empty where the part is not piecewise linear."""
    met: dict[str, int]
    """Units (or windows) that cross along some direction, each once; never fewer than `sampled`. Empty where
    the part is not piecewise linear."""
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
) -> PointComplexity:
    """How many boundaries pass a cross-polytope around a point, by its vertices and exactly along its axes.

    Args:
        part: of a recorded network, from the layer that the point belongs to.
        point: a tensor of that layer, without the axis of examples.
        radius: in units of the layer's space.
        directions: axes of the cross-polytope, at most the layer's width.
        generator: draws them, on the CPU.

    Source: as `local_complexities`.
    """
    frame = random_frame(point.numel(), directions=directions, generator=generator)
    return local_complexities(part, point, radii=[radius], frame=frame)[0]


def local_complexities(
    part: Part,
    point: Float[torch.Tensor, "..."],
    *,
    radii: Sequence[float],
    frame: Float64[torch.Tensor, "directions width"],
) -> list[PointComplexity]:
    """Local complexity at several radii along the same directions.

    The vertices are `point +- radius * direction`. By sampling, a unit counts once if its regime is not the
    same at all of them; exactly, every crossing along each axis counts, also those that a unit takes back, or
    each unit that crosses counts once. The axes are walked once, at the largest radius.

    Args:
        part: of a recorded network, from the layer that the point belongs to.
        point: a tensor of that layer, without the axis of examples.
        radii: in units of the layer's space.
        frame: orthonormal directions.

    Returns:
        One for each radius, in their order.

    Raises:
        UsageError: a radius is not positive.

    Source: Humayun, Balestriero and Baraniuk 2024, "Deep Networks Always Grok and Here is Why", figure 4
        and the authors' code: the vertices go through the network, and a unit counts where its
        pre-activation has not the same sign at all of them.
    Departs: windows of max-pooling count as well, of which the authors say nothing; they tell a
        pre-activation of exactly zero from both signs, here it is not above its kink. The exact count
        is ours.
    """
    if not radii or min(radii) <= 0:
        raise UsageError("local complexity needs radii above zero")
    centre = part.convert_point(point)
    axes = frame.to(centre.device).reshape(-1, *centre.shape)
    sampled = [_sample(part, centre, radius * axes) for radius in radii]
    if part.obstacles:
        return [PointComplexity(counts, {}, {}, exact=False) for counts in sampled]
    return _walk_axes(part, centre, axes, radii, sampled)


def _sample(part: Part, centre: torch.Tensor, arms: torch.Tensor) -> dict[str, int]:
    """By nonlinearity, the units whose regime is not the same at all of `centre +- arms`."""
    codes, _ = regimes(part, torch.cat([centre + arms, centre - arms]))
    names = [item.name for item in part.nonlinearities]
    return {name: int((code != code[0]).any(axis=0).sum()) for name, code in zip(names, codes, strict=True)}


def _walk_axes(
    part: Part,
    centre: torch.Tensor,
    axes: torch.Tensor,
    radii: Sequence[float],
    sampled: Sequence[dict[str, int]],
) -> list[PointComplexity]:
    """Counts what each axis crosses within each radius, and adds what was sampled there."""
    names = [item.name for item in part.nonlinearities]
    reach = max(radii)
    crossed = np.zeros((len(radii), len(names), len(axes)), dtype=np.int64)
    units: list[list[np.ndarray]] = [[] for _ in radii]
    walked = segments_crossings(part, centre - reach * axes, centre + reach * axes)
    for axis, met in enumerate(walked):
        away = np.abs(2 * met.position - 1) * reach
        for index, radius in enumerate(radii):
            within = away <= radius
            crossed[index, :, axis] = np.bincount(met.nonlinearity[within], minlength=len(names))
            units[index].append(np.stack([met.nonlinearity[within], met.unit[within]]))
    return [
        PointComplexity(
            at_corners,
            dict(zip(names, counts, strict=True)),
            _distinct(np.concatenate(crossing, axis=1), names),
            exact=True,
        )
        for at_corners, counts, crossing in zip(sampled, crossed, units, strict=True)
    ]


def _distinct(units: Int64[np.ndarray, "two crossings"], names: Sequence[str]) -> dict[str, int]:
    """How many different units of each nonlinearity there are."""
    once = np.unique(units, axis=1)[0]
    counts = np.bincount(once, minlength=len(names))
    return {name: int(count) for name, count in zip(names, counts, strict=True)}
