"""A segment carried through a network: the batch is the sorted list of breakpoints found so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

import torch
from jaxtyping import Bool, Float64, Int64, Shaped

from polylens.dataflow.operations import canonical
from polylens.dataflow.regimes import pre_activation
from polylens.geometry.flips import Flips, above, unit_flips, window_flips
from polylens.geometry.tape import Layout, Part, Step
from polylens.geometry.windows import window_elements, window_winners

RESOLUTION = 1e-12
"""Changes of regime closer together than this share of the segment count as one place."""

Positions = Float64[torch.Tensor, "vertices"]
Places = Float64[torch.Tensor, "flips"]


@dataclass(frozen=True, eq=False)
class _Held:
    """A value of the network at some vertices; between them it is affine."""

    at: Positions
    tensor: torch.Tensor

    def moved(self, at: Positions, layout: Layout) -> _Held:
        """The value at other vertices of the same stretch, at least as many: exact interpolation."""
        if at is self.at:
            return self
        cell = (torch.searchsorted(self.at, at, right=True) - 1).clamp(0, len(self.at) - 2)
        weight = (at - self.at[cell]) / (self.at[cell + 1] - self.at[cell])
        rows = layout.rows(self.tensor)
        moved = torch.lerp(rows[cell], rows[cell + 1], weight[:, None])
        return _Held(at, layout.restored(moved, self.tensor.shape))


@dataclass(frozen=True, eq=False)
class Events:
    """Changes of regime as the walk meets them: of one nonlinearity, along one stretch."""

    nonlinearity: int
    position: Places
    unit: Int64[torch.Tensor, "flips"]
    before: Int64[torch.Tensor, "flips"]
    after: Int64[torch.Tensor, "flips"]


@dataclass(eq=False)
class Walk:
    """Carries one segment through a part of a network, depth-first: one stretch to the end, then the next.

    Where a nonlinearity finds more breakpoints than a batch may hold, the stretch is cut before anything is
    computed at them, and the pieces go on one after the other. What waits meanwhile is the batch before the
    cut, so memory is bounded by `vertices` rows of the values alive at each nonlinearity.
    """

    part: Part
    vertices: int
    events: list[Events] = field(default_factory=list)
    starts: dict[int, Int64[torch.Tensor, "units"]] = field(default_factory=dict)
    """Regimes at the first vertex, by nonlinearity."""
    n_rows: int = 0
    """Vertices that the last operation was run on, all stretches together."""
    largest: int = 0
    """The most vertices that any operation was run on at once."""
    _borders: dict[tuple[int, int], Shaped[torch.Tensor, "units"]] = field(default_factory=dict)
    _elements: dict[int, Int64[torch.Tensor, "windows places"]] = field(default_factory=dict)
    _index: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        places = [place for place, step in enumerate(self.part.steps) if step.nonlinearity is not None]
        self._index = {place: index for index, place in enumerate(places)}

    def stretches(
        self, at: Positions, points: Float64[torch.Tensor, "vertices ..."]
    ) -> Iterator[tuple[Positions, Float64[torch.Tensor, "vertices ..."]]]:
        """Walks on, and gives the vertices of each stretch and the part's output at them, left to right.

        Args:
            at: ascending positions of the first vertices.
            points: the layer's tensor there.
        """
        yield from self._walk(0, at, {self.part.start: _Held(at, points)}, known=None)

    def _walk(
        self, place: int, at: Positions, held: dict[int, _Held], known: list[_Flipped] | None
    ) -> Iterator[tuple[Positions, torch.Tensor]]:
        steps = self.part.steps
        while place < len(steps):
            step = steps[place]
            if step.nonlinearity is not None and known is None:
                values = self._values(step, at, held)
                known = self._flips(place, step, at, values)
                del values
                refined = _refined(at, known)
                pieces = _pieces(refined, self.vertices)
                if len(pieces) > 1:
                    for piece in pieces:
                        yield from self._walk(place, piece, dict(held), known)
                    return
                at = pieces[0]
            values = self._values(step, at, held)
            if known:
                self._set_to_kinks(step, at, values, known)
            self.largest = max(self.largest, len(at))
            for value, tensor in step.run(values, len(at)):
                held[value] = _Held(at, tensor)
            for value in step.reads:
                if self.part.last_use[value] == place:
                    del held[value]
            place, known = place + 1, None
        self.n_rows += len(at)
        yield at, held[self.part.end].moved(at, self.part.layouts[self.part.end]).tensor

    def _values(self, step: Step, at: Positions, held: dict[int, _Held]) -> dict[int, torch.Tensor]:
        """What the step reads, at these vertices."""
        for value in step.reads:
            held[value] = held[value].moved(at, self.part.layouts[value])
        return {value: held[value].tensor for value in step.reads}

    def _flips(
        self, place: int, step: Step, at: Positions, values: dict[int, torch.Tensor]
    ) -> list[_Flipped]:
        """Finds and records what changes its regime at this nonlinearity between these vertices."""
        item, index = step.nonlinearity, self._index[place]
        assert item is not None
        if item.role == "pool":
            winners = window_winners(step, values, len(at))
            if index not in self._elements:
                arguments = step.arguments(values, len(at))
                shape = self.part.shapes[item.name]
                self._elements[index] = window_elements(canonical(step.function), arguments, shape)
            (source,) = values.values()
            found = window_flips(source.flatten(1), winners, self._elements[index])
            self._at_border(index, 0, at, winners)
            flipped = [_Flipped(None, *_placed(found, at), found)]
        else:
            read = pre_activation(canonical(step.function), step.arguments(values, len(at)))
            rows = self.part.layouts[min(step.reads)].rows(read)
            flipped = []
            for regime, kink in enumerate(item.kinks):
                is_above = above(rows, kink)
                self._at_border(index, regime, at, is_above)
                found = unit_flips(rows, is_above, kink=kink, regime=regime)
                flipped.append(_Flipped(kink, *_placed(found, at), found))
        positions = _merged(torch.cat([item.position for item in flipped]), at)
        sizes = [len(item.position) for item in flipped]
        for part, position in zip(flipped, torch.split(positions, sizes), strict=True):
            part.position = position
            flips = part.flips
            self.events.append(Events(index, position, flips.unit, flips.before, flips.after))
        return flipped

    def _at_border(
        self, index: int, regime: int, at: Positions, regimes: Shaped[torch.Tensor, "vertices units"]
    ) -> None:
        """Records what differs, by rounding or a tie, from the last vertex of the stretch before."""
        last = self._borders.get((index, regime))
        first = regimes[0]
        if last is None:
            start = first.to(torch.int64)
            self.starts[index] = start + self.starts[index] if index in self.starts else start
        else:
            unit = (first != last).nonzero()[:, 0]
            if len(unit):
                before, after = (row[unit].to(torch.int64) + regime for row in (last, first))
                self.events.append(Events(index, at[:1].expand(len(unit)), unit, before, after))
        self._borders[index, regime] = regimes[-1].clone()

    def _set_to_kinks(
        self, step: Step, at: Positions, values: dict[int, torch.Tensor], flipped: list[_Flipped]
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
            here = (part.position >= at[0]) & (part.position <= at[-1]) & part.solved
            if here.any():
                rows = layout.rows(tensor).clone() if rows is None else rows
                rows[torch.searchsorted(at, part.position[here]), part.flips.unit[here]] = part.kink
        if rows is not None:
            values[value] = layout.restored(rows, tensor.shape)


@dataclass(eq=False)
class _Flipped:
    """Flips with their places on the segment."""

    kink: float | None
    position: Places
    solved: Bool[torch.Tensor, "flips"]
    """Whether the flip lies strictly between two vertices."""
    flips: Flips


def _placed(flips: Flips, at: Positions) -> tuple[Places, Bool[torch.Tensor, "flips"]]:
    """Where the flips are; exactly at a vertex where they are no farther from it than the resolution."""
    left, right = at[flips.cell], at[flips.cell + 1]
    position = torch.lerp(left, right, flips.weight)
    position = torch.where(position - left <= RESOLUTION, left, position)
    position = torch.where(right - position <= RESOLUTION, right, position)
    return position, (position > left) & (position < right)


def _merged(positions: Places, at: Positions) -> Places:
    """The positions, with those closer together than the resolution made one; vertices stay."""
    if not len(positions):
        return positions
    ordered, order = torch.sort(positions)
    starts = torch.ones(len(ordered), dtype=torch.bool, device=ordered.device)
    starts[1:] = torch.diff(ordered) > RESOLUTION
    firsts = ordered[starts][torch.cumsum(starts, 0) - 1]
    # A vertex among them wins, so that no new one appears beside it.
    nearest = torch.searchsorted(at, firsts - RESOLUTION).clamp(max=len(at) - 1)
    firsts = torch.where((at[nearest] - firsts).abs() <= RESOLUTION, at[nearest], firsts)
    merged = torch.empty_like(positions)
    merged[order] = firsts
    return merged


def _refined(at: Positions, flipped: list[_Flipped]) -> Float64[torch.Tensor, "refined"]:
    """The vertices with the new ones among them."""
    new = torch.cat([part.position for part in flipped])
    refined = torch.unique(torch.cat([at, new]))
    return at if len(refined) == len(at) else refined


def _pieces(at: Positions, vertices: int) -> list[Float64[torch.Tensor, "_"]]:
    """Stretches of about equal numbers of vertices, neighbours sharing one."""
    count = max(1, ceil((len(at) - 1) / (vertices - 1)))
    if count == 1:
        return [at]
    ends = [round(piece * (len(at) - 1) / count) for piece in range(count + 1)]
    return [at[start : end + 1] for start, end in pairwise(ends)]
