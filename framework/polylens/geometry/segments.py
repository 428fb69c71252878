"""Which polytopes a segment passes: exact crossings of boundaries from one point to another.

1. Segments are taken in groups, as many as get 32 vertices each of the largest batch, at most 1,024.
2. A walk carries a group through the network, and gives the vertices with the outputs at them, one stretch
   after the other (`walking`).
3. What the walk met is summed to net changes (`netting`): a boundary that is only touched is not crossed.
4. Vertices and outputs are cut apart by segment.

Invariants: every boundary is met and none twice, up to rounding; the output is affine between neighbouring
vertices, which include every crossing.

Cost: that of the walk, one forward pass a vertex; where no outputs are kept, nothing behind the last
nonlinearity's pre-activations; memory for the largest batch, and for a group's crossings.
Source: decision 0008.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from polylens.dataflow import Nonlinearity
from polylens.errors import UsageError
from polylens.geometry.netting import net_changes, regimes_in_cells
from polylens.geometry.places import RESOLUTION, positions_of, segments_of, whole_segments
from polylens.geometry.switches import winner_changes
from polylens.geometry.tape import Part
from polylens.geometry.walking import SegmentWalk

_VERTICES_A_SEGMENT = 32
"""The share of a full batch that each of the segments walked together has at least, in vertices."""
_MOST_NUMBERS = 1 << 25
"""Numbers of one tensor in the largest batch (256 MB): networks of images have a million units in a layer."""
_MOST_TOGETHER = 1024
"""Segments; a few more would not fit in the whole numbers that places are."""


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
    """The output is affine between them; the network was computed at all of them if outputs were kept."""
    outputs: Float64[np.ndarray, "vertices numbers"]
    """The flattened output at the vertices; without columns where it was not asked for."""
    n_rows: int
    """Points that the last operation was run on, or would have been if outputs were kept."""
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
        counts = np.bincount(self.nonlinearity, minlength=len(self.nonlinearities))
        return {item.name: int(count) for item, count in zip(self.nonlinearities, counts, strict=True)}

    def switches(self) -> Float64[np.ndarray, "switches"]:
        """The ascending positions where another output becomes the largest.

        Raises:
            UsageError: the outputs were not kept.
        """
        return winner_changes(self.vertices, self._kept_outputs())

    def affine(self) -> tuple[Float64[np.ndarray, "cells numbers"], Float64[np.ndarray, "cells numbers"]]:
        """The output on each cell as `offset + slope * position`: offsets and slopes.

        Each is read off the two ends of its cell.

        Raises:
            UsageError: the outputs were not kept.
        """
        # Every breakpoint is a vertex, so that the search meets it exactly.
        ends = self.breakpoints
        values = self._kept_outputs()[np.searchsorted(self.vertices, ends)]
        slopes = np.diff(values, axis=0) / np.diff(ends)[:, None]
        return values[:-1] - slopes * ends[:-1, None], slopes

    def _kept_outputs(self) -> Float64[np.ndarray, "vertices numbers"]:
        if not self.outputs.shape[1]:
            raise UsageError("the outputs were not kept", hint="ask for them with keep_outputs=True")
        return self.outputs


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
            alive at each nonlinearity, besides the crossings themselves; of wide tensors fewer rows are
            taken, so that one holds 256 MB at most.
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
    (crossings,) = segments_crossings(
        part, start[None], end[None], vertices=vertices, keep_outputs=keep_outputs
    )
    return crossings


def segments_crossings(
    part: Part,
    starts: Float[torch.Tensor, "segments ..."],
    ends: Float[torch.Tensor, "others ..."],
    *,
    vertices: int = 4096,
    keep_outputs: bool = False,
) -> Iterator[Crossings]:
    """What `segment_crossings` finds on each of many segments, in their order.

    Segments are walked several at once: their vertices are one batch, so that short ones cost no more than
    their vertices do. How many go together follows from `vertices`, which bounds memory as for one segment.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        starts: tensors of that layer.
        ends: as many others.
        vertices: the largest batch, at least 2.
        keep_outputs: whether the output at every vertex is kept.

    Raises:
        UsageError: something in the part is not piecewise linear, or the points do not fit.

    >>> from polylens.geometry.recording import record
    >>> part = record(torch.nn.ReLU().eval(), torch.zeros(1, 1)).part()
    >>> segments = segments_crossings(part, torch.tensor([[-1.0], [3.0]]), torch.tensor([[1.0], [-1.0]]))
    >>> [crossings.position.tolist() for crossings in segments]
    [[0.5], [0.75]]
    """
    if part.obstacles:
        raise UsageError(
            f"no exact crossings: {part.obstacles[0]}", hint="sampled_crossings goes by sampling"
        )
    if vertices < 2:
        raise UsageError(
            f"a batch of {vertices} vertices holds no segment", hint="vertices must be at least 2"
        )
    if len(starts) != len(ends):
        raise UsageError(f"{len(starts)} starts of segments do not fit {len(ends)} ends")
    vertices = max(2, min(vertices, _MOST_NUMBERS // _widest(part)))
    together = max(1, min(vertices // _VERTICES_A_SEGMENT, _MOST_TOGETHER))
    for low in range(0, len(starts), together):
        group = slice(low, low + together)
        points = torch.stack([part.convert_points(points[group]) for points in (starts, ends)], dim=1)
        yield from _walk_together(part, points.flatten(0, 1), vertices=vertices, keep_outputs=keep_outputs)


def _widest(part: Part) -> int:
    """Numbers that one point has at the layer or at the widest nonlinearity."""
    return max(int(np.prod(shape)) for shape in (part.shape, *part.shapes.values()))


def _walk_together(
    part: Part, points: Float64[torch.Tensor, "twice ..."], *, vertices: int, keep_outputs: bool
) -> list[Crossings]:
    """The crossings of segments that are walked together; of each the start, then the end, is given."""
    count = len(points) // 2
    walk = SegmentWalk(part, segments=count, vertices=vertices, outputs=keep_outputs)
    places: list[torch.Tensor] = []
    outputs: list[torch.Tensor] = []
    n_rows = np.zeros(count, dtype=np.int64)
    layout = part.layouts[part.end]
    with torch.no_grad():
        for stretch, output in walk.stretches(
            whole_segments(count, device=part.device), part.lay_out(points)
        ):
            n_rows += np.bincount(segments_of(stretch).cpu().numpy(), minlength=count)
            # Stretches of one segment share a vertex, which is kept once and has been computed twice.
            first = 1 if places and places[-1][-1] == stretch[0] else 0
            places.append(stretch[first:])
            if keep_outputs and output is not None:
                outputs.append(layout.rows(output)[first:].cpu())
    every = torch.cat(places).cpu()
    # Without columns where outputs are not asked for, so that what follows is done alike.
    kept = torch.cat(outputs).numpy() if outputs else np.empty((len(every), 0))
    bounds = np.searchsorted(segments_of(every).numpy(), np.arange(count + 1))
    positions = positions_of(every).numpy()
    return [
        Crossings(
            nonlinearities=part.nonlinearities,
            position=net.position,
            nonlinearity=net.nonlinearity,
            unit=net.unit,
            before=net.before,
            after=net.after,
            start=net.start,
            vertices=positions[low:high],
            outputs=kept[low:high],
            n_rows=int(rows),
            largest_batch=walk.largest,
        )
        for net, rows, low, high in zip(net_changes(walk), n_rows, bounds[:-1], bounds[1:], strict=True)
    ]
