"""Where units and windows change regime between neighbouring vertices, and to which regime.

1. A unit changes in a cell where it is above its kink at one of the cell's two ends only. Between them it is
   affine, so that it meets the kink at the share `left / (left - right)` of the way.
2. The elements of a window are straight lines over a cell, and its winner is their upper envelope. The line
   that leads at the left end is overtaken by the steeper line that it meets first; of several that it meets
   together, the steepest leads from there on. This is done again until the winner of the right end leads.
3. All windows that change go on together, one change a turn, and are put in order at the end.

Invariants: in one cell the changes of a window follow on each other, from the winner at the left end to that
at the right; what is above by eight roundings or less is not above, so that noise about a kink is no change.

Cost: time for every unit at every vertex, and for every element of a window that changes, times its changes,
of which there are at most as many as elements.
Source: decision 0008 for what rounding may do.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int64, Shaped

_ROUNDINGS = 8.0
"""Roundings of the layer's largest value within which a unit counts as standing on its kink."""


@dataclass(frozen=True, eq=False)
class Flips:
    """Changes of regime, in the order of the segment and, at one place, of happening."""

    cell: Int64[torch.Tensor, "flips"]
    """The vertices before and after are `cell` and `cell + 1`."""
    weight: Float64[torch.Tensor, "flips"]
    """How far along the cell: 0 at the vertex before, 1 at the vertex after."""
    unit: Int64[torch.Tensor, "flips"]
    before: Int64[torch.Tensor, "flips"]
    after: Int64[torch.Tensor, "flips"]


def above(
    values: Float64[torch.Tensor, "vertices units"], kink: float
) -> Bool[torch.Tensor, "vertices units"]:
    """Whether each unit is above its kink by more than rounding."""
    noise = _ROUNDINGS * torch.finfo(torch.float64).eps
    # The largest of a vertex is the scale: a sum of products rounds in proportion to what is summed.
    low, high = torch.aminmax(values, dim=1, keepdim=True)
    return values > kink + noise * torch.maximum(high, -low)


def unit_flips(
    values: Float64[torch.Tensor, "vertices units"],
    is_above: Bool[torch.Tensor, "vertices units"],
    *,
    kink: float,
    regime: int,
    apart: Int64[torch.Tensor, "gaps"] | None = None,
) -> Flips:
    """Where units pass a kink; below it they have `regime`, above it `regime + 1`.

    Args:
        values: of the units at the vertices.
        is_above: as `above` says.
        kink: the pre-activation at which the regime changes.
        regime: below the kink.
        apart: vertices after which another segment begins: nothing changes from there to the next.

    >>> values = torch.tensor([[-1.0, 2.0], [3.0, 1.0]], dtype=torch.float64)
    >>> unit_flips(values, above(values, 0.0), kink=0.0, regime=0).weight.tolist()
    [0.25]
    """
    cell, unit = _changes(is_above, apart)
    left, right = values[cell, unit] - kink, values[cell + 1, unit] - kink
    rising = is_above[cell + 1, unit].to(torch.int64)
    # "Not above" allows for noise, so both ends may lie on one side of the kink or be equal: then the
    # quotient is outside of the cell or no number, and an end of the cell stands for the crossing.
    weight = torch.nan_to_num(left / (left - right)).clamp(0.0, 1.0)
    return Flips(cell, weight, unit, before=regime + 1 - rising, after=regime + rising)


def window_flips(
    values: Float64[torch.Tensor, "vertices numbers"],
    winners: Int64[torch.Tensor, "vertices windows"],
    elements: Int64[torch.Tensor, "windows places"],
    *,
    apart: Int64[torch.Tensor, "gaps"] | None = None,
) -> Flips:
    """Where windows change their winner: the corners of the upper envelope of each window's elements.

    Args:
        values: what the windows look at, flat.
        winners: the place that wins each window at each vertex.
        elements: the flat index of each place of each window; -1 outside.
        apart: vertices after which another segment begins.
    """
    cell, window = _changes(winners, apart)
    target = winners[cell + 1, window]
    places = elements[window]
    inside = places >= 0
    # Of a place outside the window any element is read: `inside` keeps it from overtaking.
    left = values[cell[:, None], places.clamp(min=0)]
    slope = values[cell[:, None] + 1, places.clamp(min=0)] - left
    noise = _ROUNDINGS * torch.finfo(torch.float64).eps * left.abs().amax(dim=1, keepdim=True)
    winner = winners[cell, window]
    now = torch.zeros(len(cell), dtype=torch.float64, device=values.device)
    running = torch.arange(len(cell), device=values.device)
    parts: list[tuple[torch.Tensor, ...]] = []
    for turn in range(places.shape[1] + 1):
        if not len(running):
            break
        own = winner[running, None]
        steeper = slope[running] - slope[running].gather(1, own)
        lead = left[running].gather(1, own) - left[running]
        overtakes = inside[running] & (steeper > noise[running])
        when = torch.where(overtakes, lead / steeper, torch.inf)
        # A line met within the rounding of an earlier change is met now: changes never go back.
        when = when.clamp(min=now[running, None])
        first = when.amin(dim=1)
        # Of those that overtake together, the steepest leads from there on.
        steepest = torch.where(when == first[:, None], steeper, -torch.inf).argmax(dim=1)
        met = first <= 1.0
        # An envelope has no more corners than lines: what is left after these turns are ties.
        if turn == places.shape[1]:
            met = torch.zeros_like(met)
        # Equal elements: the one that is told to win there is another than the line that led so far.
        following = torch.where(met, steepest, target[running])
        first = torch.where(met, first, 1.0)
        order = torch.full_like(running, turn)
        parts.append((cell[running], first, window[running], winner[running], following, order))
        winner[running], now[running] = following, first
        running = running[following != target[running]]
    if not parts:
        nothing = cell[:0]
        return Flips(nothing, now[:0], nothing, nothing, nothing)
    cells, weights, units, before, after, order = (torch.cat(column) for column in zip(*parts, strict=True))
    # By cell, and in it by turn, which is the order of happening.
    rank = torch.argsort(cells * (places.shape[1] + 1) + order, stable=True)
    return Flips(cells[rank], weights[rank], units[rank], before[rank], after[rank])


def _changes(
    regimes: Shaped[torch.Tensor, "vertices units"], apart: Int64[torch.Tensor, "gaps"] | None
) -> tuple[torch.Tensor, ...]:
    """Cells and units of which the two ends differ."""
    differs = regimes[1:] != regimes[:-1]
    if apart is not None:
        differs[apart] = False
    return differs.nonzero(as_tuple=True)
