"""A convex polygon that lines cut into convex polygons, with shared vertices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from polylens.kernels import cutting, halfedges, leading, patches

_BLOCK = 2**24
"""Signs, or elements of windows, that are looked at together."""
_ROUNDING = 1e-12
"""A vertex is on a line if its value is within this share of the largest."""


@dataclass(frozen=True, eq=False)
class Cycles:
    """Polygons in one row of vertices."""

    members: Int64[np.ndarray, "corners"]
    firsts: Int64[np.ndarray, "polygons"]
    """Where each polygon starts."""
    lengths: Int64[np.ndarray, "polygons"]

    @property
    def following(self) -> Int64[np.ndarray, "corners"]:
        """The vertex after each in its polygon."""
        found = np.empty_like(self.members)
        found[:-1] = self.members[1:]
        found[self.firsts + self.lengths - 1] = self.members[self.firsts]
        return found

    def areas(self, places: Float64[np.ndarray, "vertices 2"]) -> Float64[np.ndarray, "polygons"]:
        """The area of each polygon."""
        # Relative to a corner, so that nothing large is taken from something large.
        corners = np.repeat(places[self.members[self.firsts]], self.lengths, axis=0)
        one, other = places[self.members] - corners, places[self.following] - corners
        turns = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
        found: np.ndarray = np.abs(np.add.reduceat(turns, self.firsts)) / 2
        return found

    def middles(
        self, values: Float64[np.ndarray, "vertices numbers"]
    ) -> Float64[np.ndarray, "polygons numbers"]:
        """The mean of what the vertices of each polygon have."""
        sums = np.add.reduceat(values[self.members], self.firsts, axis=0)
        found: np.ndarray = sums / self.lengths[:, None]
        return found

    def edges(self) -> tuple[Int64[np.ndarray, "edges 2"], Int64[np.ndarray, "edges"]]:
        """The two vertices of every edge, and how many polygons it belongs to."""
        following, count = self.following, int(self.members.max()) + 1
        names = np.minimum(self.members, following) * count + np.maximum(self.members, following)
        names, sides = np.unique(names, return_counts=True)
        return np.column_stack(np.divmod(names, count)), sides


@dataclass(frozen=True, eq=False)
class Cut:
    """What cutting some polygons gave."""

    polygons: Int64[np.ndarray, "found"]
    """Those in place of the given ones, neighbours close together."""
    of: Int64[np.ndarray, "found"]
    """Which of the given ones each was a part of."""
    is_complete: bool
    """Whether everything is cut."""


class Subdivision:
    """Polygons that share vertices and edges: cutting one puts the new vertices on its neighbours' edges too.

    What belongs to vertices (numbers that are affine on every polygon) is kept by whoever asks for cuts, for
    the vertices of some polygons at a time: `carried` takes it to other vertices.
    """

    def __init__(self, corners: Float64[np.ndarray, "corners 2"]) -> None:
        count = len(corners)
        around = np.arange(count)
        self._half = np.column_stack(
            [np.roll(around, -1), around, np.full(count, -1), np.zeros(count, dtype=np.int64)]
        )
        self._spots = np.column_stack([corners, np.zeros(count)])
        self._ends = np.column_stack([around, around])
        self._first = np.zeros(1, dtype=np.int64)
        self._counts = np.array([count, count, 1])
        self._row_of = np.zeros(count, dtype=np.int64)
        self._seen = np.zeros(count, dtype=np.int64)
        self._token = 1

    @property
    def places(self) -> Float64[np.ndarray, "vertices 2"]:
        """Coordinates in the plane, by vertex."""
        return self._spots[: self._counts[0], :2]

    @property
    def n_polygons(self) -> int:
        """How many polygons there are; they are numbered from 0."""
        return int(self._counts[2])

    def copy(self) -> Subdivision:
        """Another one that is equal."""
        other = Subdivision.__new__(Subdivision)
        arrays = {name: value.copy() for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        other.__dict__.update(arrays, _token=self._token)
        return other

    def cycles(self, polygons: Int64[np.ndarray, "chosen"] | None = None) -> Cycles:
        """These polygons, or all."""
        chosen = np.arange(self.n_polygons) if polygons is None else polygons
        listed, firsts, lengths = patches.cycles(chosen, self._half, self._first)
        return Cycles(self._half[listed, halfedges.ORIGIN], firsts, lengths)

    def vertices(self, polygons: Int64[np.ndarray, "chosen"]) -> Int64[np.ndarray, "found"]:
        """The vertices of these polygons, ascending."""
        is_there = np.zeros(self._counts[0], dtype=np.bool_)
        is_there[self.cycles(polygons).members] = True
        return np.flatnonzero(is_there)

    def groups(self, polygons: Int64[np.ndarray, "chosen"], *, vertices: int) -> list[np.ndarray]:
        """The polygons in groups of neighbours with at most so many vertices, but at least one polygon."""
        seen = self._scratch()
        ends, self._token = patches.groups(polygons, self._half, self._first, vertices, seen, self._token)
        return np.split(polygons, ends[:-1])

    def carried(
        self,
        rows: Float64[np.ndarray, "known numbers"],
        *,
        known: Int64[np.ndarray, "known"],
        wanted: Int64[np.ndarray, "wanted"],
    ) -> Float64[np.ndarray, "wanted numbers"]:
        """What is affine on every polygon, given at some vertices, at others that were put between them."""
        seen = self._scratch()
        rows = np.ascontiguousarray(rows)
        found: np.ndarray = patches.carried(
            rows, known, wanted, self._spots, self._ends, self._row_of, seen, self._token
        )
        self._token += 2
        return found

    def cut_by_units(
        self,
        polygons: Int64[np.ndarray, "chosen"],
        rows: Float64[np.ndarray, "known units"],
        *,
        known: Int64[np.ndarray, "known"],
        kink: float,
        most: int,
    ) -> Cut:
        """Cuts polygons where a unit passes its kink inside them.

        Args:
            polygons: which.
            rows: every unit at their vertices.
            known: these vertices.
            kink: of every unit.
            most: vertices beyond which nothing more is cut.
        """
        tolerance = _ROUNDING * float(np.abs(rows).max(initial=0.0))
        self._row_of[known] = np.arange(len(known))
        found = []
        width = max(1, _BLOCK // len(known))
        for start in range(0, rows.shape[1], width):
            block = rows[:, start : start + width]
            seen = np.empty(block.shape, dtype=np.uint8)
            cutting.sides(block, kink, tolerance, seen)
            starts, units = cutting.cutting_units(polygons, self._half, self._first, self._row_of, seen)
            found.append((np.repeat(np.arange(len(polygons)), np.diff(starts)), start + units))
        owners, units = (np.concatenate(column) for column in zip(*found, strict=True))
        if len(found) > 1:
            order = np.argsort(owners, kind="stable")
            owners, units = owners[order], units[order]
        if not len(units):
            return Cut(polygons, np.arange(len(polygons)), is_complete=True)
        starts = np.searchsorted(owners, np.arange(len(polygons) + 1))
        active, columns = np.unique(units, return_inverse=True)
        return self._cut(
            cutting.cut_by_lines, (polygons, starts, columns), rows, active, most, (kink, tolerance)
        )

    def cut_by_leaders(
        self,
        polygons: Int64[np.ndarray, "chosen"],
        rows: Float64[np.ndarray, "known numbers"],
        windows: Int64[np.ndarray, "windows places"],
        *,
        known: Int64[np.ndarray, "known"],
        most: int,
    ) -> Cut:
        """Cuts polygons where a window changes its winner.

        The line between two elements may also cut where a third one leads: what lies on both sides then has
        one code.

        Args:
            polygons: which.
            rows: the elements at their vertices.
            windows: by window the columns of its elements; -1 where it has fewer.
            known: these vertices.
            most: vertices beyond which nothing more is cut.
        """
        tolerance = _ROUNDING * float(np.abs(rows).max(initial=0.0))
        self._row_of[known] = np.arange(len(known))
        starts, chosen = leading.contested_windows(
            polygons, self._half, self._first, self._row_of, np.ascontiguousarray(rows), windows, tolerance
        )
        if not len(chosen):
            return Cut(polygons, np.arange(len(polygons)), is_complete=True)
        used, which = np.unique(chosen, return_inverse=True)
        elements = windows[used]
        active = np.unique(elements[elements >= 0])
        columns = np.where(elements >= 0, np.searchsorted(active, elements), -1)
        return self._cut(
            leading.cut_by_leaders, (polygons, starts, which, columns), rows, active, most, (tolerance,)
        )

    def neighbours(self) -> tuple[Int64[np.ndarray, "edges"], Int64[np.ndarray, "edges"]]:
        """The two polygons of each edge that has two."""
        inside, twin = self._edges()
        polygon = self._half[:, halfedges.POLYGON]
        return polygon[inside], polygon[twin]

    def borders(self, names: Int64[np.ndarray, "polygons"]) -> Int64[np.ndarray, "edges 2"]:
        """The edges between polygons of different names."""
        one, other = self.neighbours()
        ends = np.column_stack([self._half[each, halfedges.ORIGIN] for each in self._edges()])
        found: np.ndarray = ends[names[one] != names[other]]
        return found

    def _edges(self) -> tuple[Int64[np.ndarray, "edges"], Int64[np.ndarray, "edges"]]:
        """The two half-edges of each edge that has two."""
        twin = self._half[: self._counts[1], halfedges.TWIN]
        inside = np.flatnonzero(twin > np.arange(len(twin)))
        return inside, twin[inside]

    def _cut(
        self,
        kernel: Callable[..., Any],
        what: tuple[np.ndarray, ...],
        rows: np.ndarray,
        active: np.ndarray,
        most: int,
        how: tuple[float, ...],
    ) -> Cut:
        values = np.empty((2 * len(rows) + 16, len(active)))
        values[: len(rows)] = rows if len(active) == rows.shape[1] else rows[:, active]
        found, complete, self._half, self._spots, self._ends, self._first, self._row_of = kernel(
            *what, values, len(rows), most, *how,
            self._half, self._spots, self._ends, self._first, self._row_of, self._counts,
        )  # fmt: skip
        return Cut(found[:, 0].copy(), found[:, 1].copy(), is_complete=bool(complete))

    def _scratch(self) -> Int64[np.ndarray, "room"]:
        """Room for a token a vertex."""
        if len(self._seen) < len(self._spots):
            longer = np.zeros(len(self._spots), dtype=np.int64)
            longer[: len(self._seen)] = self._seen
            self._seen = longer
        return self._seen
