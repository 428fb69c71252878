"""A polygon carried through a network: the batch is the vertices of its subdivision found so far."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from polylens.dataflow.operations import canonical
from polylens.dataflow.regimes import pre_activation
from polylens.geometry.subdivision import Subdivision
from polylens.geometry.tape import Part, Step
from polylens.geometry.windows import window_elements

_TOLERANCE = 1e-12
"""A vertex is on a line if its value is within this share of the layer's largest."""
_BLOCK = 2**24
"""Signs that are looked at together."""


class Spread:
    """Runs a part of a network on a subdivision, cutting it at each nonlinearity."""

    def __init__(self, part: Part, complete: Subdivision) -> None:
        self._part = part
        self._complete = complete
        self._held: dict[int, torch.Tensor] = {}

    def run(self, points: Float64[torch.Tensor, "vertices ..."]) -> Float64[np.ndarray, "all numbers"]:
        """Cuts the subdivision, and gives the part's output at all its vertices."""
        part = self._part
        self._held = {part.start: part.laid_out(points)}
        for place, step in enumerate(part.steps):
            values = self._values(step)
            if step.nonlinearity is not None:
                self._cut(step, values)
                values = self._values(step)
            self._held.update(step.run(values, len(self._complete.places)))
            for value in step.reads:
                if part.last_use[value] == place:
                    del self._held[value]
        return self._complete.extended(part.layouts[part.end].rows(self._held[part.end]).cpu().numpy())

    def _values(self, step: Step) -> dict[int, torch.Tensor]:
        """What the step reads, at all vertices there are by now."""
        for value in step.reads:
            layout, tensor = self._part.layouts[value], self._held[value]
            rows = layout.rows(tensor)
            if len(rows) < len(self._complete.places):
                extended = torch.from_numpy(self._complete.extended(rows.cpu().numpy())).to(tensor.device)
                self._held[value] = layout.restored(extended, tensor.shape)
        return {value: self._held[value] for value in step.reads}

    def _cut(self, step: Step, values: dict[int, torch.Tensor]) -> None:
        item, points = step.nonlinearity, len(self._complete.places)
        assert item is not None
        arguments = step.arguments(values, points)
        if item.role == "pool":
            elements = window_elements(canonical(step.function), arguments, self._part.shapes[item.name])
            (source,) = values.values()
            cut_by_winners(self._complete, source.flatten(1).cpu().numpy(), elements.cpu().numpy())
            return
        read = pre_activation(canonical(step.function), arguments)
        rows = self._part.layouts[min(step.reads)].rows(read).cpu().numpy()
        for kink in item.kinks:
            rows = cut_by_units(self._complete, rows, kink)


class _Growing:
    """Rows at the vertices, one more with every new vertex."""

    def __init__(self, complete: Subdivision, rows: Float64[np.ndarray, "vertices numbers"]) -> None:
        self.complete = complete
        self.rows = rows.copy()
        self.count = len(rows)

    def add(self, vertex: int) -> None:
        """Interpolates the row of the newest vertex."""
        if vertex >= len(self.rows):
            grown = np.empty((2 * len(self.rows), self.rows.shape[1]))
            grown[: self.count] = self.rows[: self.count]
            self.rows = grown
        one, other, share = self.complete.parents[vertex]
        self.rows[vertex] = (1.0 - share) * self.rows[one] + share * self.rows[other]
        self.count = vertex + 1


def cut_by_units(
    complete: Subdivision, rows: Float64[np.ndarray, "vertices units"], kink: float
) -> Float64[np.ndarray, "all units"]:
    """Cuts every polygon where a unit passes its kink inside it, and gives the units at all vertices."""
    tolerance = _TOLERANCE * float(np.abs(rows).max(initial=0.0))
    growing = _Growing(complete, rows)
    done: list[list[int]] = []
    for polygon, units in zip(complete.polygons, _cutting(complete, rows - kink, tolerance), strict=True):
        pieces = [polygon]
        for unit in units:
            following: list[list[int]] = []

            def created(vertex: int, unit: int = unit) -> None:
                growing.add(vertex)
                growing.rows[vertex, unit] = kink

            for piece in pieces:
                # Python's own minimum: NumPy's takes longer to start than so few numbers take.
                sides = growing.rows[piece, unit].tolist()
                if not min(sides) - kink < -tolerance < tolerance < max(sides) - kink:
                    following.append(piece)
                    continue
                whole = complete.refined(piece)
                values = growing.rows[whole, unit] - kink
                halves = complete.split(whole, values, tolerance=tolerance, created=created)
                following += [whole] if halves is None else halves
            pieces = following
        done += pieces
    complete.polygons = [complete.refined(piece) for piece in done]
    return growing.rows[: growing.count]


def _cutting(
    complete: Subdivision, values: Float64[np.ndarray, "vertices units"], tolerance: float
) -> list[list[int]]:
    """For each polygon, the units that have vertices of it on both sides."""
    cycles = complete.flat()
    members, firsts = cycles.members, cycles.firsts
    found: list[list[int]] = [[] for _ in complete.polygons]
    width = max(1, _BLOCK // len(members))
    for start in range(0, values.shape[1], width):
        block = values[:, start : start + width]
        over = np.logical_or.reduceat((block > tolerance)[members], firsts, axis=0)
        under = np.logical_or.reduceat((block < -tolerance)[members], firsts, axis=0)
        for polygon, unit in zip(*np.nonzero(over & under), strict=True):
            found[polygon].append(start + int(unit))
    return found


def cut_by_winners(
    complete: Subdivision,
    rows: Float64[np.ndarray, "vertices numbers"],
    elements: Int64[np.ndarray, "windows places"],
) -> Float64[np.ndarray, "all numbers"]:
    """Cuts every polygon where a window changes its winner, and gives the numbers at all vertices.

    A polygon in which one element of a window leads everywhere is left as it is. The line between two
    elements may also cut where a third one leads: what lies on both sides then has one code.
    """
    tolerance = _TOLERANCE * float(np.abs(rows).max(initial=0.0))
    growing = _Growing(complete, rows)
    done: list[list[int]] = []
    for polygon, is_open in zip(complete.polygons, _disputed(complete, rows, elements), strict=True):
        pieces = [polygon]
        for window in _contested(rows[polygon], elements, tolerance) if is_open else ():
            places = elements[window][elements[window] >= 0]
            pieces = [part for piece in pieces for part in _envelope(growing, piece, places, tolerance)]
        done += pieces
    complete.polygons = [complete.refined(piece) for piece in done]
    return growing.rows[: growing.count]


def _disputed(
    complete: Subdivision,
    rows: Float64[np.ndarray, "vertices numbers"],
    elements: Int64[np.ndarray, "windows places"],
) -> Bool[np.ndarray, "polygons"]:
    """Whether any window has not the same winner at all corners of each polygon."""
    winners = np.empty((len(rows), len(elements)), dtype=np.int64)
    height = max(1, _BLOCK // max(1, elements.size))
    for start in range(0, len(rows), height):
        seen = np.where(elements >= 0, rows[start : start + height][:, elements], -np.inf)
        winners[start : start + height] = seen.argmax(axis=2)
    cycles = complete.flat()
    differs = (winners[cycles.members] != winners[cycles.following]).any(axis=1)
    found: np.ndarray = np.logical_or.reduceat(differs, cycles.firsts)
    return found


def _contested(
    rows: Float64[np.ndarray, "corners numbers"],
    elements: Int64[np.ndarray, "windows places"],
    tolerance: float,
) -> Int64[np.ndarray, "contested"]:
    """The windows in which no single element is the largest at all corners of a polygon."""
    values = np.where(elements >= 0, rows[:, elements], -np.inf)
    leading = values >= values.max(axis=2, keepdims=True) - tolerance
    return np.flatnonzero(~leading.all(axis=0).any(axis=1))


def _envelope(
    growing: _Growing, polygon: list[int], places: Int64[np.ndarray, "places"], tolerance: float
) -> list[list[int]]:
    """The parts of a polygon in each of which one of these numbers is the largest.

    The first number claims where it leads all others; the others share what is cut away in the same way.
    """
    complete = growing.complete
    rest, claimed = [polygon], []
    for place in places.tolist():
        following: list[list[int]] = []
        for piece in rest:
            inside: list[int] | None = complete.refined(piece)
            for other in places.tolist():
                if other == place or inside is None:
                    continue
                around = complete.refined(inside)
                values = growing.rows[around, place] - growing.rows[around, other]
                if (values <= tolerance).all() and (values < -tolerance).any():
                    following.append(around)
                    inside = None
                    continue
                halves = complete.split(around, values, tolerance=tolerance, created=growing.add)
                if halves is not None:
                    inside, outside = halves
                    following.append(outside)
            if inside is not None:
                claimed.append(inside)
        rest = following
    return claimed + rest
