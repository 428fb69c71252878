"""Crossings by adaptive sampling, where a network is not piecewise linear.

1. The network is run on an even grid along the segment.
2. Every interval at whose ends any regime differs, or another output is the largest, is halved, and the
   network is run in its middle. This is done until all such intervals are narrow enough.
3. Each of them gives, in its middle, one change for every unit that differs between its ends.

Invariant: an interval that is left wide has the same regimes and the same largest output at both ends. So
what changed between the ends of the segment is right, and how often it changed on the way is a lower bound.

Cost: one forward pass for each point of the grid, and `log2(width / resolution)` for each change, with the
width of the grid's intervals; memory for the codes of all points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64

from polylens.dataflow import Nonlinearity
from polylens.errors import UsageError
from polylens.geometry.regimes import regimes
from polylens.geometry.tape import Part


@dataclass(frozen=True, eq=False)
class SampledCrossings:
    """Changes of regime along a segment that sampling found. There may be more of them."""

    nonlinearities: tuple[Nonlinearity, ...]
    position: Float64[np.ndarray, "crossings"]
    """The middle of the interval in which the regime changes, ascending."""
    nonlinearity: Int64[np.ndarray, "crossings"]
    unit: Int64[np.ndarray, "crossings"]
    before: Int64[np.ndarray, "crossings"]
    after: Int64[np.ndarray, "crossings"]
    switched: Float64[np.ndarray, "switches"]
    """Where another output becomes the largest: the middle of the interval, ascending."""
    resolution: float
    """The intervals' width at most. A unit that changes and changes back between two points of the first,
    coarse grid where nothing else changes is not seen."""
    coarse: float
    """The spacing of the first grid."""
    n_computed: int
    """Points that the network was run on."""
    exact: bool = False

    def switches(self) -> Float64[np.ndarray, "switches"]:
        """Where another output becomes the largest, as far as sampling found it."""
        return self.switched


def sampled_crossings(
    part: Part,
    start: Float[torch.Tensor, "..."],
    end: Float[torch.Tensor, "..."],
    *,
    points: int = 65,
    resolution: float = 1e-4,
    block: int = 256,
) -> SampledCrossings:
    """Changes of regime along a straight segment, for any network whose nonlinearities have regimes.

    The network is run on an even grid; intervals whose ends differ in any regime, or in which output is the
    largest, are halved until they are no wider than `resolution`. For smooth units a regime is the sign of
    the pre-activation, which is a proxy.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        start: a tensor of that layer, without the axis of examples.
        end: another.
        points: of the first grid, at least 2.
        resolution: width, as a share of the segment, at which an interval is no longer halved.
        block: points that the network is run on together.

    Raises:
        UsageError: there are fewer than two points, the resolution is not positive, or the points do not fit.
    """
    if points < 2 or resolution <= 0:
        raise UsageError("sampling takes at least 2 points and a resolution above 0")
    first, last = part.convert_point(start), part.convert_point(end)

    def codes(at: Float64[np.ndarray, "places"]) -> list[np.ndarray]:
        blocks = []
        for low in range(0, len(at), block):
            share = torch.as_tensor(at[low : low + block], device=part.device)
            share = share.reshape(-1, *[1] * first.dim())
            # Regimes are small numbers: a byte holds those of units, two those of windows.
            part_codes, outputs = regimes(part, first + (last - first) * share)
            winner = outputs.argmax(dim=1, keepdim=True).cpu().numpy()
            blocks.append([*(code.astype(np.int16) for code in part_codes), winner])
        return [np.concatenate(columns) for columns in zip(*blocks, strict=True)]

    at = np.linspace(0.0, 1.0, points)
    known = codes(at)
    while True:
        wide = np.flatnonzero(_has_change(known) & (np.diff(at) > resolution))
        if not len(wide):
            break
        middles = (at[wide] + at[wide + 1]) / 2
        added = codes(middles)
        # `insert` counts by the list as it was, so that each middle lands in its own interval.
        at = np.insert(at, wide + 1, middles)
        known = [np.insert(old, wide + 1, new, axis=0) for old, new in zip(known, added, strict=True)]
    return _list_changes(part, at, known, resolution=resolution, coarse=1 / (points - 1))


def _has_change(known: list[np.ndarray]) -> Bool[np.ndarray, "intervals"]:
    """Whether anything differs between the two ends of each interval."""
    changes: np.ndarray = np.any([(code[1:] != code[:-1]).any(axis=1) for code in known], axis=0)
    return changes


def _list_changes(
    part: Part, at: np.ndarray, known: list[np.ndarray], *, resolution: float, coarse: float
) -> SampledCrossings:
    columns: list[list[np.ndarray]] = [[], [], [], [], []]
    *codes, winner = known
    for index, code in enumerate(codes):
        interval, unit = np.nonzero(code[1:] != code[:-1])
        change = (
            (at[interval] + at[interval + 1]) / 2,
            np.full(len(unit), index),
            unit,
            code[interval, unit].astype(np.int64),
            code[interval + 1, unit].astype(np.int64),
        )
        for column, values in zip(columns, change, strict=True):
            column.append(values)
    position, nonlinearity, unit, before, after = (np.concatenate(column) for column in columns)
    # Stable: what changes together stays in the order of the network.
    order = np.argsort(position, kind="stable")
    switch = np.flatnonzero((winner[1:] != winner[:-1])[:, 0])
    return SampledCrossings(
        nonlinearities=part.nonlinearities,
        position=position[order],
        nonlinearity=nonlinearity[order],
        unit=unit[order],
        before=before[order],
        after=after[order],
        switched=(at[switch] + at[switch + 1]) / 2,
        resolution=resolution,
        coarse=coarse,
        n_computed=len(at),
    )
