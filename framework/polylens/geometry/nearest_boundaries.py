"""How far a point is from the nearest boundary of its polytope, and which boundary that is.

1. A forward pass gives the margins: how far each pre-activation is from its nearest kink, and how far each
   winner is ahead of each rival in its window.
2. Inside the polytope a margin is affine. Its gradient's squared length is the sum of its squared slopes
   along the axes of the layer's space, which are had a few axes at a time.
3. Margin over length is the distance to the hyperplane on which the margin is zero. The least of all is the
   nearest boundary.
4. One backward pass from what changes there gives the direction.

Why the least one is a boundary, though hyperplanes are those of the affine map at the point: up to the
nearest one nothing changes, so the map holds all the way to it.

Invariant: a gradient that is zero but for rounding bounds nothing; what cannot change inside the polytope
is counted as still and never divided by.

Cost: for each point a few forward passes for each number of the layer; memory bounded by `_NUMBERS`.
Source: Croce, Andriushchenko and Hein 2019, "Provable robustness of ReLU networks via maximization of
linear regions", for the distance within a linear region; windows of max-pooling are treated alike here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from polylens.dataflow import Nonlinearity
from polylens.dataflow.operations import canonical
from polylens.dataflow.regimes import pre_activation
from polylens.errors import UsageError
from polylens.geometry.tape import Part
from polylens.geometry.windows import window_elements, window_winners

_STILL = 1e-12
"""Share of the steepest gradient of a nonlinearity below which another one of it counts as zero."""
_NUMBERS = 1 << 22
"""What nonlinearities read, over all points and axes, that is carried at once (32 MiB, and its graph)."""


@dataclass(frozen=True, eq=False)
class NearestBoundaries:
    """The nearest boundary of each point's polytope.

    A polytope is an intersection of half-spaces, one a unit (or a rival of a window's winner), so the largest
    ball around a point inside it touches the nearest of their hyperplanes, and that one is a true boundary.
    Others can change there as well: a window of zeros has its winner where its first ReLU opens.
    """

    nonlinearities: tuple[Nonlinearity, ...]
    distance: Float64[np.ndarray, "points"]
    """Euclidean, in the layer's space; infinite where no unit can change its regime in this polytope."""
    nonlinearity: Int64[np.ndarray, "points"]
    """Index into `nonlinearities` of what changes there; -1 where nothing does."""
    unit: Int64[np.ndarray, "points"]
    """Flat index of the unit, or of the window, within one example; -1 where nothing changes."""
    after: Int64[np.ndarray, "points"]
    """Its regime beyond: how many of its kinks it is above, or the place of a window's next winner."""
    normal: Float64[np.ndarray, "points ..."]
    """The direction of length 1 that leads there; zeros where nothing changes."""
    still: Int64[np.ndarray, "points"]
    """Units and rivals that no step inside the polytope moves (gradient zero): they bound nothing."""


@dataclass(frozen=True, eq=False)
class _Values:
    """What one nonlinearity reads at the points, and where its boundaries are from there."""

    rows: torch.Tensor
    elements: torch.Tensor | None
    """The flat index of each place of each window of a pool, -1 outside; None for units."""
    winners: torch.Tensor | None
    kinks: tuple[float, ...]

    def margins(self) -> torch.Tensor:
        """How far each unit is from its nearest kink, each winner ahead of each place of its window."""
        if self.elements is None or self.winners is None:
            kinks = torch.tensor(self.kinks, dtype=torch.float64, device=self.rows.device)
            return (self.rows[..., None] - kinks).abs().amin(dim=-1)
        # Winners are told on a grid, so that rounding may put a rival ahead by less than a step of it.
        lead = self.leads(self.rows).clamp(min=0.0)
        places = torch.arange(self.elements.shape[1], device=lead.device)
        rivals = (self.elements >= 0) & (places != self.winners[..., None])
        return torch.where(rivals, lead, torch.inf).flatten(1)

    def leads(self, rows: torch.Tensor) -> torch.Tensor:
        """Each winner's value less that of each place of its window: `points windows places`."""
        assert self.elements is not None
        assert self.winners is not None
        windows = torch.arange(len(self.elements), device=rows.device)
        best = self.elements[windows, self.winners]
        return rows.gather(1, best)[..., None] - rows[:, self.elements.clamp(min=0)]

    def moving(self, rows: torch.Tensor) -> torch.Tensor:
        """What must pass zero for a boundary to be met, as it moves with the rows: one column a margin."""
        return rows if self.elements is None else self.leads(rows).flatten(1)


def nearest_boundaries(part: Part, points: Float[torch.Tensor, "points ..."]) -> NearestBoundaries:
    """The exact distance of each point to the nearest boundary of its polytope.

    Inside a polytope every pre-activation z is affine, so a unit's boundary is |z - kink| / |gradient of z|
    away. The lengths of all gradients come from derivatives along the axes of the layer's space, a few
    axes at a time, in double precision: memory is bounded, and the time for a point is that of a few forward
    passes for each number of the layer. A gradient of zero, or a tie that nothing inside the polytope can
    break, bounds nothing.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        points: tensors of that layer.

    Raises:
        UsageError: something in the part is not piecewise linear, nothing in it has regimes, or the points do
            not fit.

    >>> from polylens.geometry.recording import record
    >>> network = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).eval()
    >>> _ = network[0].weight.data.copy_(torch.tensor([[2.0], [-1.0]]))
    >>> _ = network[0].bias.data.copy_(torch.tensor([-3.0, 0.75]))
    >>> points = torch.tensor([[1.0], [4.0]])
    >>> nearest = nearest_boundaries(record(network, torch.zeros(1, 1)).part(), points)
    >>> nearest.distance.tolist(), nearest.unit.tolist(), nearest.normal.ravel().tolist()
    ([0.25, 2.5], [1, 0], [-1.0, -1.0])
    """
    if part.obstacles:
        raise UsageError(f"there are no exact boundaries: {part.obstacles[0]}")
    if not part.nonlinearities:
        raise UsageError(f"nothing between '{part.layer}' and '{part.through}' has regimes")
    if not len(points):
        raise UsageError("there are no points to give the nearest boundaries of")
    exact = torch.stack([part.convert_point(point) for point in points])
    with torch.no_grad():
        width = max(sum(_read_numbers(part, exact[:1])), 1)
    step = max(_NUMBERS // (width * 8), 1)
    pieces = [_nearest(part, piece, width=width) for piece in torch.split(exact, step)]
    return NearestBoundaries(
        part.nonlinearities,
        *(np.concatenate(column) for column in zip(*pieces, strict=True)),
    )


def _nearest(part: Part, points: torch.Tensor, *, width: int) -> tuple[np.ndarray, ...]:
    with torch.no_grad():
        values = list(_read(part, points))
    margins = [item.margins() for item in values]
    lengths = _gradient_lengths(part, points, values, axes=max(_NUMBERS // (width * len(points)), 1))
    distances, still = [], torch.zeros(len(points), dtype=torch.int64, device=points.device)
    for margin, length in zip(margins, lengths, strict=True):
        # Before dividing: a tie that nothing can break has margin 0 and gradient 0.
        zero = length <= _STILL * length.amax(dim=1, keepdim=True)
        still += (zero & margin.isfinite()).sum(dim=1)
        distances.append(torch.where(zero, torch.inf, margin / length))
    best = torch.stack([distance.amin(dim=1) for distance in distances], dim=1)
    distance, nonlinearity = best.min(dim=1)
    column = torch.stack([item.argmin(dim=1) for item in distances], dim=1)
    column = column.gather(1, nonlinearity[:, None])[:, 0]
    is_bounded = distance.isfinite()
    normal = _normals(part, points, values, nonlinearity, column)
    normal[~is_bounded] = 0.0
    unit, after = torch.full_like(column, -1), torch.full_like(column, -1)
    for index, item in enumerate(values):
        here = is_bounded & (nonlinearity == index)
        if not here.any():
            continue
        if item.elements is None:
            unit[here] = column[here]
            after[here] = _regime_beyond(item.rows[here, column[here]], item.kinks)
        else:
            # The margins of a pool are flat, window by window: the rest is the rival's place.
            places = item.elements.shape[1]
            unit[here], after[here] = column[here] // places, column[here] % places
    nonlinearity = torch.where(is_bounded, nonlinearity, -1)
    columns = (distance, nonlinearity, unit, after, normal, still)
    return tuple(item.cpu().numpy() for item in columns)


def _regime_beyond(values: torch.Tensor, kinks: tuple[float, ...]) -> torch.Tensor:
    """The regime on the other side of each value's nearest kink."""
    at = torch.tensor(kinks, dtype=torch.float64, device=values.device)
    nearest = (values[:, None] - at).abs().argmin(dim=1)
    # Kinks ascend: below kink k is regime k, above it k + 1.
    return torch.where(values > at[nearest], nearest, nearest + 1)


def _gradient_lengths(
    part: Part, points: torch.Tensor, values: list[_Values], *, axes: int
) -> list[Float64[torch.Tensor, "points _"]]:
    """The length of each margin's gradient: derivatives along all axes, squared and summed."""
    numel = points[0].numel()
    squares = [torch.zeros_like(item.margins()) for item in values]
    for start in range(0, numel, axes):
        count = min(axes, numel - start)
        directions = torch.zeros(count, numel, dtype=torch.float64, device=points.device)
        directions[torch.arange(count), start + torch.arange(count)] = 1.0
        # Every axis gets a copy of the points of its own.
        repeated = points.repeat(count, *[1] * (points.dim() - 1))
        along = directions.repeat_interleave(len(points), dim=0).reshape(repeated.shape)
        for square, item, slope in zip(squares, values, _slopes(part, repeated, along), strict=True):
            for along_axis in slope.reshape(count, len(points), -1):
                square += item.moving(along_axis) ** 2
    return [square.sqrt() for square in squares]


def _slopes(
    part: Part, points: Float64[torch.Tensor, "points ..."], along: Float64[torch.Tensor, "points ..."]
) -> list[Float64[torch.Tensor, "points _"]]:
    """How fast what each nonlinearity reads changes from each point along its direction.

    A backward pass is linear in what it starts from, so its own derivative is the forward one: that needs no
    forward-mode rules, which torch compiles when they are first asked for.
    """
    with torch.enable_grad():
        free = points.clone().requires_grad_()
        rows = list(_read_rows(part, free))
        weights = [torch.zeros_like(item, requires_grad=True) for item in rows]
        (backward,) = torch.autograd.grad(rows, free, weights, create_graph=True)
        return list(torch.autograd.grad(backward, weights, along))


def _normals(
    part: Part,
    points: torch.Tensor,
    values: list[_Values],
    nonlinearity: torch.Tensor,
    column: torch.Tensor,
) -> Float64[torch.Tensor, "points ..."]:
    """The direction in which each point meets the boundary that was found."""
    with torch.enable_grad():
        free = points.clone().requires_grad_()
        total = torch.zeros((), dtype=torch.float64, device=points.device)
        for index, (rows, item) in enumerate(zip(_read_rows(part, free), values, strict=True)):
            of = (nonlinearity == index).nonzero()[:, 0]
            chosen = item.moving(rows)[of, column[of]]
            # Points do not mix, so the gradient of the sum holds each point's own.
            total = total + chosen.sum()
        (gradient,) = torch.autograd.grad(total, free)
    toward = torch.empty(len(points), dtype=torch.float64, device=points.device)
    for index, item in enumerate(values):
        of = nonlinearity == index
        if item.elements is None:
            value = item.rows[of, column[of]]
            kinks = torch.tensor(item.kinks, dtype=torch.float64, device=points.device)
            nearest = kinks[(value[:, None] - kinks).abs().argmin(dim=1)]
            toward[of] = torch.where(value > nearest, -1.0, 1.0).to(torch.float64)
        else:
            toward[of] = -1.0  # the winner loses its lead
    flat = gradient.flatten(1)
    length = flat.norm(dim=1, keepdim=True)
    scaled = torch.where(length > 0, toward[:, None] * flat / length, 0.0)
    return scaled.reshape(points.shape)


def _read(part: Part, points: torch.Tensor) -> Iterator[_Values]:
    """What every nonlinearity reads at the points, with the winners of windows."""
    for index, values, rows in _walk(part, points):
        step = part.steps[index]
        item = step.nonlinearity
        assert item is not None
        if item.role == "units":
            yield _Values(rows, None, None, item.kinks)
            continue
        arguments = step.arguments(values, len(points))
        elements = window_elements(canonical(step.function), arguments, part.shapes[item.name])
        yield _Values(rows, elements, window_winners(step, values, len(points)), ())


def _read_rows(part: Part, points: torch.Tensor) -> Iterator[torch.Tensor]:
    return (rows for _, _, rows in _walk(part, points))


def _read_numbers(part: Part, points: torch.Tensor) -> Iterator[int]:
    """How many numbers each nonlinearity has to do with: units, or places of windows."""
    for item in _read(part, points):
        yield item.rows.shape[1] if item.elements is None else item.elements.numel()


def _walk(part: Part, points: torch.Tensor) -> Iterator[tuple[int, dict[int, torch.Tensor], torch.Tensor]]:
    """A forward pass that stops at each nonlinearity: which step it is, the values alive, what it reads."""
    values = {part.start: part.lay_out(points)}
    last = max(index for index, step in enumerate(part.steps) if step.nonlinearity is not None)
    for index, step in enumerate(part.steps[: last + 1]):
        item = step.nonlinearity
        if item is not None:
            layout = part.layouts[min(step.reads)]
            read = (
                values[min(step.reads)]
                if item.role == "pool"
                else pre_activation(canonical(step.function), step.arguments(values, len(points)))
            )
            step.check_finite(read)
            yield index, values, layout.rows(read)
        if index == last:
            return
        values.update(step.run(values, len(points)))
        for value in step.reads:
            if part.last_use[value] == index:
                del values[value]
