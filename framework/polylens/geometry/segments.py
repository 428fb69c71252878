"""Which polytopes a segment passes: exact crossings of boundaries from one point to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from polylens.dataflow import Nonlinearity
from polylens.errors import UsageError
from polylens.geometry.netting import net_changes, regimes_in_cells
from polylens.geometry.tape import Part
from polylens.geometry.walking import RESOLUTION, Walk


@dataclass(frozen=True, eq=False)
class Crossings:
    """The boundaries that a segment crosses, and the polytopes between them.

    Positions run from 0 at the start of the segment to 1 at its end. A unit's regime is the number of its
    kinks that its pre-activation is above (0 or 1 for ReLU); a pool window's is the place of its winner, the
    first of equal ones. A regime belongs to the open cell between two breakpoints: what only touches
    a boundary, or meets it at an end of the segment, crosses nothing.
    """

    nonlinearities: tuple[Nonlinearity, ...]
    position: Float64[np.ndarray, "crossings"]
    """Ascending. Several units may cross at one position."""
    nonlinearity: Int64[np.ndarray, "crossings"]
    """Index into `nonlinearities`."""
    unit: Int64[np.ndarray, "crossings"]
    """Flat index within the nonlinearity's tensor of one example."""
    before: Int64[np.ndarray, "crossings"]
    after: Int64[np.ndarray, "crossings"]
    start: tuple[Int64[np.ndarray, "_"], ...]
    """By nonlinearity, every unit's regime in the first cell."""
    vertices: Float64[np.ndarray, "vertices"]
    """All positions where the network was computed; the output is affine between them."""
    outputs: Float64[np.ndarray, "vertices numbers"]
    """The flattened output at the vertices; without columns where it was not asked for."""
    n_rows: int
    """Points that the last operation was run on."""
    largest_batch: int
    """The most points that any operation was run on at once."""
    resolution: float = RESOLUTION
    """Crossings closer together than this count as one position."""
    exact: bool = True

    @property
    def breakpoints(self) -> Float64[np.ndarray, "breakpoints"]:
        """The ends of the cells: 0, every position where something crosses, 1."""
        return np.unique(np.concatenate([[0.0], self.position, [1.0]]))

    @property
    def midpoints(self) -> Float64[np.ndarray, "cells"]:
        """A point inside each cell."""
        ends = self.breakpoints
        middles: np.ndarray = (ends[1:] + ends[:-1]) / 2
        return middles

    def codes(self, nonlinearity: int) -> Int64[np.ndarray, "cells units"]:
        """Every unit's regime in each cell."""
        ends = self.breakpoints
        chosen = self.nonlinearity == nonlinearity
        return regimes_in_cells(
            self.start[nonlinearity],
            cell=np.searchsorted(ends, self.position[chosen]),
            unit=self.unit[chosen],
            after=self.after[chosen],
            cells=len(ends) - 1,
        )

    def counts(self) -> dict[str, int]:
        """How many boundaries of each nonlinearity are crossed."""
        found = np.bincount(self.nonlinearity, minlength=len(self.nonlinearities))
        return {item.name: int(count) for item, count in zip(self.nonlinearities, found, strict=True)}

    def affine(self) -> tuple[Float64[np.ndarray, "cells numbers"], Float64[np.ndarray, "cells numbers"]]:
        """The output on each cell as `offset + slope * position`: offsets and slopes.

        Each is read off the two ends of its cell.

        Raises:
            UsageError: the outputs were not kept.
        """
        if not self.outputs.shape[1]:
            raise UsageError("the outputs were not kept", hint="ask for them with keep_outputs=True")
        ends = self.breakpoints
        values = self.outputs[np.searchsorted(self.vertices, ends)]
        slopes = np.diff(values, axis=0) / np.diff(ends)[:, None]
        return values[:-1] - slopes * ends[:-1, None], slopes


def segment_crossings(
    part: Part,
    start: Float[torch.Tensor, "..."],
    end: Float[torch.Tensor, "..."],
    *,
    vertices: int = 4096,
    keep_outputs: bool = True,
) -> Crossings:
    """Every boundary between polytopes that the straight segment from `start` to `end` crosses.

    Between two neighbouring vertices every value of the network is affine. At each nonlinearity the places
    where a unit passes its kink, or a window changes its winner, are solved for and join the vertices; all
    values that are still needed are interpolated, which is exact. Double precision throughout.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        start: a tensor of that layer, without the axis of examples.
        end: another.
        vertices: the largest batch, at least 2. Memory is bounded by this many rows of the tensors that are
            alive at each nonlinearity, besides the crossings themselves.
        keep_outputs: whether the output at every vertex is kept.

    Raises:
        UsageError: something in the part is not piecewise linear (`sampled_crossings` says what can be said
            then), or the points do not fit.

    >>> from polylens.geometry.recording import record
    >>> network = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).eval()
    >>> _ = network[0].weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
    >>> _ = network[0].bias.data.copy_(torch.tensor([-0.25, 0.5]))
    >>> part = record(network, torch.zeros(1, 1)).part()
    >>> segment_crossings(part, torch.tensor([0.0]), torch.tensor([1.0])).position.tolist()
    [0.25, 0.5]
    """
    if part.obstacles:
        raise UsageError(
            f"no exact crossings: {part.obstacles[0]}", hint="sampled_crossings goes by sampling"
        )
    if vertices < 2:
        raise UsageError(
            f"a batch of {vertices} vertices holds no segment", hint="vertices must be at least 2"
        )
    ends = torch.stack([part.prepared(start), part.prepared(end)])
    at = torch.tensor([0.0, 1.0], dtype=torch.float64, device=part.device)
    walk = Walk(part, vertices=vertices)
    places: list[np.ndarray] = []
    outputs: list[np.ndarray] = []
    layout = part.layouts[part.end]
    with torch.no_grad():
        for stretch, output in walk.stretches(at, part.laid_out(ends)):
            first = 1 if places else 0
            places.append(stretch[first:].cpu().numpy())
            rows = layout.rows(output)[first:]
            outputs.append((rows if keep_outputs else rows[:, :0]).cpu().numpy())
    net = net_changes(walk)
    return Crossings(
        nonlinearities=part.nonlinearities,
        position=net.position,
        nonlinearity=net.nonlinearity,
        unit=net.unit,
        before=net.before,
        after=net.after,
        start=net.start,
        vertices=np.concatenate(places),
        outputs=np.concatenate(outputs),
        n_rows=walk.n_rows,
        largest_batch=walk.largest,
    )
