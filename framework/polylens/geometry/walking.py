"""Segments carried through a network: the batch is the sorted list of breakpoints found so far.

1. The batch starts as the two ends of every segment. Between neighbouring vertices every value is affine.
2. Operations run on the batch, one after the other; a value that is read at vertices which came later is
   interpolated then, which is exact.
3. At a nonlinearity, before it runs, the places where a unit's regime differs between neighbours are solved
   for, recorded as events, and join the vertices (`flips`, `places`).
4. At the last nonlinearity no more is computed where no output is asked for, or where it follows from how
   the units bend (`tails`).
5. If the batch is then too long, it is cut into stretches, which go on one after the other to the end.
6. A unit's value at the place that was solved for is set to its kink, whatever interpolation makes of it.

Invariant: after a nonlinearity its result is affine between neighbouring vertices. What differs across the
border of two stretches, by rounding or a tie, is an event too, so that regimes follow from the events alone.

Cost: time for one forward pass a vertex, but for point 4; memory for `vertices` rows of what is alive at each
nonlinearity.
Source: decision 0008.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float64, Int32, Int64, Shaped

from polylens.dataflow.operations import canonical
from polylens.dataflow.regimes import pre_activation
from polylens.geometry.flips import Flips, above, unit_flips, window_flips
from polylens.geometry.places import (
    Places,
    gaps,
    merge_close,
    place_flips,
    refine,
    segments_of,
    starts_segment,
    stretches,
    weights_at,
)
from polylens.geometry.tails import Tail
from polylens.geometry.tape import Layout, Part, TapeStep
from polylens.geometry.windows import window_elements, window_winners


@dataclass(frozen=True, eq=False)
class _Held:
    """A value of the network at some vertices; between them it is affine."""

    at: Places
    tensor: torch.Tensor

    def interpolate(self, at: Places, layout: Layout) -> _Held:
        """The value at other vertices of the same stretch, at least as many: exact interpolation."""
        if at is self.at:
            return self
        # The last vertex of a segment is the left end of a gap, at weight 0.
        cell = (torch.searchsorted(self.at, at, right=True) - 1).clamp(0, len(self.at) - 2)
        weight = weights_at(self.at[cell], self.at[cell + 1], at)
        rows = layout.rows(self.tensor)
        moved = torch.lerp(rows[cell], rows[cell + 1], weight[:, None])
        return _Held(at, layout.restore(moved, self.tensor.shape))


@dataclass(frozen=True, eq=False)
class Events:
    """Changes of regime as the walk meets them: of one nonlinearity, along one stretch."""

    nonlinearity: int
    place: Int64[torch.Tensor, "flips"]
    unit: Int64[torch.Tensor, "flips"]
    before: Int64[torch.Tensor, "flips"]
    after: Int64[torch.Tensor, "flips"]


@dataclass(eq=False)
class SegmentWalk:
    """Carries segments through a part of a network, depth-first: one stretch to the end, then the next.

    The vertices of all segments are one batch. Where a nonlinearity finds more breakpoints than a batch may
    hold, the stretch is cut before anything is computed at them, and the pieces go on one after the other.
    What waits meanwhile is the batch before the cut, so memory is bounded by `vertices` rows of the values
    alive at each nonlinearity.
    """

    part: Part
    segments: int
    vertices: int
    outputs: bool = True
    """Whether the part's output is needed at the vertices; else nothing is computed at the last ones."""
    events: list[Events] = field(default_factory=list)
    starts: dict[int, Int32[torch.Tensor, "segments units"]] = field(default_factory=dict)
    """Regimes at the first vertex of each segment, by nonlinearity."""
    largest: int = 0
    """The most vertices that any operation was run on at once."""
    _borders: dict[tuple[int, int], Shaped[torch.Tensor, "units"]] = field(default_factory=dict)
    _elements: dict[int, Int64[torch.Tensor, "windows places"]] = field(default_factory=dict)
    _index: dict[int, int] = field(default_factory=dict)
    _tail: Tail | None = None

    def __post_init__(self) -> None:
        steps = [number for number, step in enumerate(self.part.steps) if step.nonlinearity is not None]
        self._index = {number: index for index, number in enumerate(steps)}
        self._tail = Tail.of(self.part) if self.outputs else None

    def stretches(
        self, at: Places, points: Float64[torch.Tensor, "vertices ..."]
    ) -> Iterator[tuple[Places, Float64[torch.Tensor, "vertices ..."] | None]]:
        """Walks on, and gives the vertices of each stretch and the part's output at them, left to right.

        The output is None where none is asked for.

        Args:
            at: the starts and ends of the segments.
            points: the layer's tensor there.
        """
        yield from self._walk(0, at, {self.part.start: _Held(at, points)}, known=None)

    def _walk(
        self, number: int, at: Places, held: dict[int, _Held], known: list[_Flipped] | None
    ) -> Iterator[tuple[Places, torch.Tensor | None]]:
        steps = self.part.steps
        while number < len(steps):
            step = steps[number]
            if step.nonlinearity is not None and known is None:
                values = self._values(step, at, held)
                known = self._flips(number, step, at, values)
                del values  # not kept alive while pieces are walked
                finer = refine(at, torch.cat([part.place for part in known]))
                if number == max(self._index) and (not self.outputs or self._tail is not None):
                    self.largest = max(self.largest, len(at))
                    yield finer, self._at_last(at, finer, held, known, step)
                    return
                pieces = stretches(finer, self.vertices)
                if len(pieces) > 1:
                    for piece in pieces:
                        yield from self._walk(number, piece, dict(held), known)
                    return
                at = pieces[0]
            values = self._values(step, at, held)
            if known:
                self._set_to_kinks(step, at, values, known)
            self.largest = max(self.largest, len(at))
            for value, tensor in step.run(values, len(at)):
                held[value] = _Held(at, tensor)
            for value in step.reads:
                if self.part.last_use[value] == number:
                    del held[value]
            number, known = number + 1, None
        yield at, held[self.part.end].interpolate(at, self.part.layouts[self.part.end]).tensor

    def _at_last(
        self,
        at: Places,
        finer: Int64[torch.Tensor, "finer"],
        held: dict[int, _Held],
        known: list[_Flipped],
        step: TapeStep,
    ) -> torch.Tensor | None:
        """The part's output at the last vertices, without a pass at each; None where none is asked for."""
        if not self.outputs or self._tail is None:
            return None
        values = self._values(step, at, held)
        rows = self.part.layouts[min(step.reads)].rows(values[min(step.reads)])
        bends = [self._tail.bends(at, part.flips, part.place, rows) for part in known]
        return self._tail.outputs(at, finer, bends, values)

    def _values(self, step: TapeStep, at: Places, held: dict[int, _Held]) -> dict[int, torch.Tensor]:
        """What the step reads, at these vertices."""
        for value in step.reads:
            held[value] = held[value].interpolate(at, self.part.layouts[value])
        return {value: held[value].tensor for value in step.reads}

    def _flips(
        self, number: int, step: TapeStep, at: Places, values: dict[int, torch.Tensor]
    ) -> list[_Flipped]:
        """Finds and records what changes its regime at this nonlinearity between these vertices."""
        item, index, apart = step.nonlinearity, self._index[number], gaps(at)
        assert item is not None
        if item.role == "pool":
            (source,) = values.values()
            step.check_finite(source)
            winners = window_winners(step, values, len(at))
            if index not in self._elements:
                arguments = step.arguments(values, len(at))
                shape = self.part.shapes[item.name]
                self._elements[index] = window_elements(canonical(step.function), arguments, shape)
            flips = window_flips(source.flatten(1), winners, self._elements[index], apart=apart)
            self._at_border(index, 0, at, winners)
            flipped = [_Flipped.of(flips, at, kink=None)]
        else:
            read = pre_activation(canonical(step.function), step.arguments(values, len(at)))
            rows = self.part.layouts[min(step.reads)].rows(read)
            step.check_finite(rows)
            flipped = []
            for regime, kink in enumerate(item.kinks):
                is_above = above(rows, kink)
                self._at_border(index, regime, at, is_above)
                flips = unit_flips(rows, is_above, kink=kink, regime=regime, apart=apart)
                flipped.append(_Flipped.of(flips, at, kink=kink))
        places = merge_close(torch.cat([item.place for item in flipped]), at)
        sizes = [len(item.place) for item in flipped]
        for part, place_of in zip(flipped, torch.split(places, sizes), strict=True):
            part.place = place_of
            flips = part.flips
            self.events.append(Events(index, place_of, flips.unit, flips.before, flips.after))
        return flipped

    def _at_border(
        self, index: int, regime: int, at: Places, regimes: Shaped[torch.Tensor, "vertices units"]
    ) -> None:
        """Records where segments start, and what differs, by rounding or a tie, from the stretch before."""
        firsts = starts_segment(at).nonzero()[:, 0]
        if len(firsts):
            if index not in self.starts:
                self.starts[index] = torch.zeros(self.segments, regimes.shape[1], dtype=torch.int32)
            self.starts[index][segments_of(at[firsts]).cpu()] += regimes[firsts].cpu().to(torch.int32)
        if not len(firsts) or firsts[0] != 0:
            last, first = self._borders[index, regime], regimes[0]
            unit = (first != last).nonzero()[:, 0]
            if len(unit):
                before, after = (row[unit].to(torch.int64) + regime for row in (last, first))
                self.events.append(Events(index, at[:1].expand(len(unit)), unit, before, after))
        self._borders[index, regime] = regimes[-1].clone()

    def _set_to_kinks(
        self, step: TapeStep, at: Places, values: dict[int, torch.Tensor], flipped: list[_Flipped]
    ) -> None:
        """Puts what was solved for in place of what interpolation makes of it."""
        if canonical(step.function) in ("maximum", "minimum"):
            # Their kink is where two values are equal, not where one has a given value.
            return
        (value,) = step.reads
        layout, tensor = self.part.layouts[value], values[value]
        rows = None
        for part in flipped:
            if part.kink is None:
                continue
            here = (part.place >= at[0]) & (part.place <= at[-1]) & part.solved
            if here.any():
                rows = layout.rows(tensor).clone() if rows is None else rows
                rows[torch.searchsorted(at, part.place[here]), part.flips.unit[here]] = part.kink
        if rows is not None:
            values[value] = layout.restore(rows, tensor.shape)


@dataclass(eq=False)
class _Flipped:
    """Flips with their places."""

    kink: float | None
    place: Int64[torch.Tensor, "flips"]
    solved: Bool[torch.Tensor, "flips"]
    """Whether the flip lies strictly between two vertices."""
    flips: Flips

    @staticmethod
    def of(flips: Flips, at: Places, *, kink: float | None) -> _Flipped:
        """Flips between these vertices."""
        place = place_flips(at, flips.cell, flips.weight)
        solved = (place > at[flips.cell]) & (place < at[flips.cell + 1])
        return _Flipped(kink, place, solved, flips)
