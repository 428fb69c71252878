"""Outputs at a walk's last breakpoints without a pass for each: behind the last nonlinearity all is affine.

1. Between two vertices the last pre-activations are affine, so each unit's value is too, but for the places
   where it flips: there its slope jumps by a known amount.
2. So the output is piecewise affine along the segment, and at a flip its slope jumps by that amount times the
   unit's column of the tail's matrix. The two ends are computed; what lies between follows from the jumps.
3. Rows of the matrix are had by backward passes, some outputs at a time, and only the columns of units that
   flip are kept.

Invariant: the outputs at the vertices that were there before are those of a plain pass; between them they are
exact up to rounding, which grows with the number of flips in a cell.

Cost: a backward pass through the tail for each output, once a stretch, and the outputs times the flips; a
plain pass at each new vertex would cost the units times the flips.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64

from polylens.geometry.flips import Flips
from polylens.geometry.places import SHARES, Places
from polylens.geometry.tape import Part, TapeStep

_WORTH = 32
"""Units for each output above which the columns of the units that flip cost less than passes do."""
_NUMBERS = 1 << 22
"""What one backward pass carries: rows of the matrix times units (32 MiB)."""


@dataclass(frozen=True, eq=False)
class Bends:
    """Flips of the last nonlinearity, wherever each was placed, and how the slope of its unit jumps there."""

    place: Int64[torch.Tensor, "flips"]
    cell: Int64[torch.Tensor, "flips"]
    unit: Int64[torch.Tensor, "flips"]
    jump: Float64[torch.Tensor, "flips"]
    """Of the unit's value, for a whole segment's length."""


@dataclass(frozen=True, eq=False)
class Tail:
    """The affine end of a part, behind its last nonlinearity."""

    part: Part
    number: int
    """Of the nonlinearity's step."""
    slopes: Float64[torch.Tensor, "regimes"]
    """Of a unit's value, in each regime."""

    @staticmethod
    def of(part: Part) -> Tail | None:
        """The part's tail; None where there is none of this kind, or passes would cost less."""
        numbers = [number for number, step in enumerate(part.steps) if step.nonlinearity is not None]
        if not numbers:
            return None
        number = numbers[-1]
        step, later = part.steps[number], part.steps[number + 1 :]
        item = step.nonlinearity
        assert item is not None
        made = {value for each in (step, *later) for value in each.gives}
        if item.role != "units" or item.function is None or len(step.reads) != 1 or part.end not in made:
            return None
        if any(value not in made for each in later for value in each.reads):
            return None  # something goes round the nonlinearity
        middles = [(low + high) / 2 for low, high in zip(item.kinks, item.kinks[1:], strict=False)]
        places = [item.kinks[0] - 1, *middles, item.kinks[-1] + 1]
        slopes = item.function.slope(torch.tensor(places, dtype=torch.float64, device=part.device))
        tail = Tail(part, number, slopes)
        units = int(torch.Size(part.shapes[item.name]).numel())
        with torch.no_grad():
            point = torch.zeros(1, *part.shape, dtype=torch.float64, device=part.device)
            outputs = part.layouts[part.end].rows(part.forward(point)).shape[1]
        return tail if units >= _WORTH * outputs else None

    def bends(self, at: Places, flips: Flips, place: torch.Tensor, rows: torch.Tensor) -> Bends:
        """How the flips of one kink bend their units.

        Args:
            at: the vertices.
            flips: between them.
            place: of each flip.
            rows: the pre-activations at the vertices.
        """
        left, right = rows[flips.cell, flips.unit], rows[flips.cell + 1, flips.unit]
        length = (at[flips.cell + 1] - at[flips.cell]).to(torch.float64) / SHARES
        jump = (self.slopes[flips.after] - self.slopes[flips.before]) * (right - left) / length
        return Bends(place, flips.cell, flips.unit, jump)

    def run(self, values: dict[int, torch.Tensor], points: int) -> torch.Tensor:
        """The part's output from what the last nonlinearity reads."""
        held = dict(values)
        for step in (self._step, *self.part.steps[self.number + 1 :]):
            held.update(step.run({value: held[value] for value in step.reads}, points))
        return held[self.part.end]

    def outputs(
        self,
        at: Places,
        finer: Int64[torch.Tensor, "finer"],
        bends: list[Bends],
        values: dict[int, torch.Tensor],
    ) -> torch.Tensor:
        """The part's output at more vertices.

        Args:
            at: the vertices at which `values` are.
            finer: these and the places of all bends.
            bends: between the vertices.
            values: what the last nonlinearity reads.
        """
        output = self.run(values, len(at))
        layout = self.part.layouts[self.part.end]
        ends = layout.rows(output)
        place, cell, unit, jump = (
            torch.cat([getattr(each, name) for each in bends]) for name in ("place", "cell", "unit", "jump")
        )
        order = torch.argsort(place, stable=True)
        order = order[torch.argsort(cell[order], stable=True)]
        place, cell, unit, jump = place[order], cell[order], unit[order], jump[order]
        of = (torch.searchsorted(at, finer, right=True) - 1).clamp(0, len(at) - 2)
        start, width = at[of], (at[of + 1] - at[of]).to(torch.float64)
        share = ((finer - start).to(torch.float64) / width)[:, None]
        first, last = torch.searchsorted(cell, of), torch.searchsorted(cell, of, right=True)
        until = torch.minimum(torch.maximum(torch.searchsorted(place, finer, right=True), first), last)
        here, there = ((finer - start).to(torch.float64) / SHARES)[:, None], (width / SHARES)[:, None]
        found = torch.empty(len(finer), ends.shape[1], dtype=torch.float64, device=ends.device)
        since = (place - at[cell]).to(torch.float64)[:, None] / SHARES
        for columns, rows in self._matrix(values, ends.shape[1]):
            steps = rows[:, unit].T * jump[:, None]
            sums, moments = _sums(steps), _sums(steps * since)
            bent = here * (sums[until] - sums[first]) - (moments[until] - moments[first])
            whole = there * (sums[last] - sums[first]) - (moments[last] - moments[first])
            low, high = ends[of][:, columns], ends[of + 1][:, columns]
            found[:, columns] = low + share * (high - low - whole) + bent
        # What was computed stays as it is.
        found[torch.searchsorted(finer, at)] = ends
        return layout.restore(found, output.shape)

    @property
    def _step(self) -> TapeStep:
        return self.part.steps[self.number]

    def _matrix(
        self, values: dict[int, torch.Tensor], outputs: int
    ) -> Iterator[tuple[slice, Float64[torch.Tensor, "chunk units"]]]:
        """The rows of the tail's matrix, some outputs at a time."""
        (value,) = self._step.reads
        (result,) = [given for given in self._step.gives if given is not None]
        like = values[value]
        layout, end = self.part.layouts[result], self.part.layouts[self.part.end]
        units = layout.rows(like).shape[1]
        count = max(1, min(outputs, _NUMBERS // units))
        for low in range(0, outputs, count):
            columns = slice(low, min(low + count, outputs))
            points = columns.stop - columns.start
            with torch.enable_grad():
                rows = torch.zeros(points, units, dtype=torch.float64, device=like.device, requires_grad=True)
                held = {result: layout.restore(rows, like.shape)}
                for step in self.part.steps[self.number + 1 :]:
                    held.update(step.run({item: held[item] for item in step.reads}, points))
                given = end.rows(held[self.part.end])[:, columns]
                (gradient,) = torch.autograd.grad(given.diagonal().sum(), rows)
            yield columns, gradient


def _sums(steps: Float64[torch.Tensor, "flips outputs"]) -> torch.Tensor:
    """Sums of the first so many lines, from none to all."""
    none = torch.zeros(1, steps.shape[1], dtype=steps.dtype, device=steps.device)
    return torch.cat([none, torch.cumsum(steps, 0)])
