"""A polygon carried through a network: the batch is the vertices of its subdivision found so far.

1. The batch starts as the polygon's corners. On every polygon every value is affine.
2. Operations run on the batch, one after the other; a value that is read at vertices which came later is
   interpolated then, which is exact.
3. At a nonlinearity, before it runs, every polygon is cut where a unit passes its kink inside it, or a window
   changes its winner (`subdivision`).
4. If the vertices are then too many, the polygons go on in groups of neighbours, one group to the end, then
   the next; what was not cut for want of room is cut in its group.

Invariant: after a nonlinearity its result is affine on every polygon, and neighbours agree at their common
edge.

Cost: time for one forward pass a vertex; memory for `memory` bytes at each nonlinearity that waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64

from polylens.dataflow.operations import canonical
from polylens.dataflow.regimes import pre_activation
from polylens.geometry.subdivision import PolygonCut, Subdivision
from polylens.geometry.tape import Layout, Part, TapeStep
from polylens.geometry.windows import window_elements

_NUMBER = 8
"""Bytes of a number in double precision."""
_FEWEST = 16
"""Vertices of a batch, however little memory there is."""


@dataclass(frozen=True, eq=False)
class _Held:
    """A value of the network at some vertices; on every polygon it is affine."""

    at: Int64[np.ndarray, "vertices"]
    tensor: torch.Tensor

    @property
    def width(self) -> int:
        """Numbers of one vertex."""
        return self.tensor.numel() // len(self.at)

    def interpolate(self, at: Int64[np.ndarray, "others"], layout: Layout, complete: Subdivision) -> _Held:
        """The value at other vertices, put between these: exact interpolation."""
        if at is self.at:
            return self
        rows = layout.rows(self.tensor).cpu().numpy()
        moved = torch.from_numpy(complete.interpolate(rows, known=self.at, wanted=at))
        return _Held(at, layout.restore(moved.to(self.tensor.device), self.tensor.shape))


class PolygonSpread:
    """Runs a part of a network on a subdivision, cutting it at each nonlinearity.

    Depth-first: where the values alive at the vertices of a batch would take more than `memory` bytes, the
    polygons are carried on in groups of neighbours, one group to the end, then the next. What waits meanwhile
    is the batch before the cut. Groups share the vertices between them: what one puts on their common edges
    the other finds there.
    """

    def __init__(self, part: Part, complete: Subdivision, *, memory: int) -> None:
        self._part = part
        self._complete = complete
        self._memory = memory
        self.n_rows = 0
        """Vertices that the last operation was run on, all groups together."""
        self.largest = 0
        """The most vertices that any operation was run on at once."""

    def run(
        self, points: Float64[torch.Tensor, "vertices ..."]
    ) -> Iterator[tuple[Int64[np.ndarray, "vertices"], Float64[np.ndarray, "vertices numbers"]]]:
        """Cuts the subdivision, and gives some of its vertices and the part's output there, until it has been
        at all of them; vertices between two groups come twice.
        """
        polygons = np.arange(self._complete.n_polygons)
        at = self._complete.vertices(polygons)
        yield from self._run(0, polygons, {self._part.start: _Held(at, self._part.lay_out(points))})

    def _run(
        self, number: int, polygons: np.ndarray, held: dict[int, _Held], *, is_cut: bool = False
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        part, complete = self._part, self._complete
        at = complete.vertices(polygons)
        while number < len(part.steps):
            step = part.steps[number]
            if step.nonlinearity is not None and not is_cut:
                most = self._most(held)
                cut = self._cut(step, polygons, self._values(step, at, held), at, most)
                polygons, is_cut = cut.polygons, cut.is_complete
                vertices = complete.vertices(polygons)
                if len(vertices) > most or not is_cut:
                    for group in complete.groups(polygons, vertices=most):
                        yield from self._run(number, group, dict(held), is_cut=is_cut)
                    return
                at = at if len(vertices) == len(at) else vertices
            values = self._values(step, at, held)
            self.largest = max(self.largest, len(at))
            for value, tensor in step.run(values, len(at)):
                held[value] = _Held(at, tensor)
            for value in step.reads:
                if part.last_use[value] == number:
                    del held[value]
            number, is_cut = number + 1, False
        self.n_rows += len(at)
        layout = part.layouts[part.end]
        yield at, layout.rows(held[part.end].interpolate(at, layout, complete).tensor).cpu().numpy()

    def _most(self, held: dict[int, _Held]) -> int:
        """Vertices of a batch."""
        return max(_FEWEST, self._memory // (_NUMBER * sum(item.width for item in held.values())))

    def _values(self, step: TapeStep, at: np.ndarray, held: dict[int, _Held]) -> dict[int, torch.Tensor]:
        """What the step reads, at these vertices."""
        for value in step.reads:
            held[value] = held[value].interpolate(at, self._part.layouts[value], self._complete)
        return {value: held[value].tensor for value in step.reads}

    def _cut(
        self,
        step: TapeStep,
        polygons: np.ndarray,
        values: dict[int, torch.Tensor],
        at: np.ndarray,
        most: int,
    ) -> PolygonCut:
        """Cuts polygons at a nonlinearity, all of it unless memory ends before."""
        item, room = step.nonlinearity, len(at) + 4 * most
        assert item is not None
        arguments = step.arguments(values, len(at))
        if item.role == "pool":
            elements = window_elements(canonical(step.function), arguments, self._part.shapes[item.name])
            (source,) = values.values()
            step.check_finite(source)
            rows = source.flatten(1).cpu().numpy()
            windows = elements.cpu().numpy()
            return self._complete.cut_by_leaders(polygons, rows, windows, known=at, most=room)
        read = pre_activation(canonical(step.function), arguments)
        step.check_finite(read)
        rows = self._part.layouts[min(step.reads)].rows(read).cpu().numpy()
        cut = PolygonCut(polygons, np.arange(len(polygons)), is_complete=True)
        for index, kink in enumerate(item.kinks):
            if index:
                vertices = self._complete.vertices(cut.polygons)
                rows, at = self._complete.interpolate(rows, known=at, wanted=vertices), vertices
            cut = self._complete.cut_by_units(cut.polygons, rows, known=at, kink=kink, most=room)
            if not cut.is_complete:
                break
        return cut
