"""A convex polygon that lines cut into convex polygons, with shared vertices.

1. The subdivision is a mesh of half-edges (`kernels.halfedges`), at first the border of one polygon.
2. For a cut, the candidates of each polygon are listed: the units that are above their kink at one of its
   vertices and below it at another (`kernels.kinks`), or the windows that no one element leads everywhere
   (`kernels.leading`).
3. Each polygon is cut by its candidates, one after the other, and its pieces by those that are left
   (`kernels.cutting`). The table of values gets a row for each vertex that is put.
4. Beyond `most` vertices nothing more is cut, and the answer says that it is not complete.

Invariants: polygons are convex and cover the first one; neighbours share whole edges; of every vertex that
was put it is known between which two others and at which share, so that what is affine on every polygon can
be had at any vertex from what it is at earlier ones (`interpolate`).

Cost: time for every unit at every corner, and for every cut in proportion to the polygon's corners; memory
for the mesh, and for the columns of the values by which something is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.kernels import halfedges, kinks, leading, patches
from polylens.kernels.cutting import Candidates, Rule, VertexValues, cut_polygons
from polylens.kernels.halfedges import Mesh

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
        following = np.empty_like(self.members)
        following[:-1] = self.members[1:]
        # After the last of a polygon comes its first, not that of the next one.
        following[self.firsts + self.lengths - 1] = self.members[self.firsts]
        return following

    def areas(self, places: Float64[np.ndarray, "vertices 2"]) -> Float64[np.ndarray, "polygons"]:
        """The area of each polygon."""
        # Relative to a corner, so that nothing large is taken from something large.
        corners = np.repeat(places[self.members[self.firsts]], self.lengths, axis=0)
        starts, ends = places[self.members] - corners, places[self.following] - corners
        turns = starts[:, 0] * ends[:, 1] - starts[:, 1] * ends[:, 0]
        areas: np.ndarray = np.abs(np.add.reduceat(turns, self.firsts)) / 2
        return areas

    def middles(
        self, values: Float64[np.ndarray, "vertices numbers"]
    ) -> Float64[np.ndarray, "polygons numbers"]:
        """The mean of what the vertices of each polygon have."""
        sums = np.add.reduceat(values[self.members], self.firsts, axis=0)
        means: np.ndarray = sums / self.lengths[:, None]
        return means

    def edges(self) -> tuple[Int64[np.ndarray, "edges 2"], Int64[np.ndarray, "edges"]]:
        """The two vertices of every edge, and how many polygons it belongs to."""
        # One number for both senses of an edge: the lower vertex, then the higher one.
        following, count = self.following, int(self.members.max()) + 1
        names = np.minimum(self.members, following) * count + np.maximum(self.members, following)
        names, sides = np.unique(names, return_counts=True)
        return np.column_stack(np.divmod(names, count)), sides


@dataclass(frozen=True, eq=False)
class PolygonCut:
    """What cutting some polygons gave."""

    polygons: Int64[np.ndarray, "pieces"]
    """The numbers of the polygons that there are in their place, neighbours close together."""
    source: Int64[np.ndarray, "pieces"]
    """For each of them, the index of the polygon that it was cut from, in the list that was to be cut."""
    is_complete: bool
    """Whether everything is cut."""


class Subdivision:
    """Polygons that share vertices and edges: cutting one puts the new vertices on its neighbours' edges too.

    What belongs to vertices (numbers that are affine on every polygon) is kept by whoever asks for cuts, for
    the vertices of some polygons at a time: `interpolate` takes it to other vertices.
    """

    def __init__(self, corners: Float64[np.ndarray, "corners 2"]) -> None:
        count = len(corners)
        around = np.arange(count)
        # The border of one polygon, numbered 0: half-edge k starts from vertex k.
        self._mesh = Mesh(
            half=np.column_stack(
                [np.roll(around, -1), around, np.full(count, -1), np.zeros(count, dtype=np.int64)]
            ),
            first=np.zeros(1, dtype=np.int64),
            spots=np.column_stack([corners, np.zeros(count)]),
            ends=np.column_stack([around, around]),
            row_of=np.zeros(count, dtype=np.int64),
            counts=np.array([count, count, 1]),
        )
        self._seen = np.zeros(count, dtype=np.int64)
        self._token = 1

    @property
    def places(self) -> Float64[np.ndarray, "vertices 2"]:
        """Coordinates in the plane, by vertex."""
        return self._mesh.spots[: self._mesh.counts[0], :2]

    @property
    def n_polygons(self) -> int:
        """How many polygons there are; they are numbered from 0."""
        return int(self._mesh.counts[2])

    def copy(self) -> Subdivision:
        """A subdivision that is equal, and shares nothing with this one."""
        twin = Subdivision.__new__(Subdivision)
        twin._mesh = Mesh(*(array.copy() for array in self._mesh))
        twin._seen, twin._token = self._seen.copy(), self._token
        return twin

    def cycles(self, polygons: Int64[np.ndarray, "chosen"] | None = None) -> Cycles:
        """These polygons, or all."""
        chosen = np.arange(self.n_polygons) if polygons is None else polygons
        listed, firsts, lengths = patches.cycles(chosen, self._mesh)
        return Cycles(self._mesh.half[listed, halfedges.ORIGIN], firsts, lengths)

    def vertices(self, polygons: Int64[np.ndarray, "chosen"]) -> Int64[np.ndarray, "corners"]:
        """The vertices of these polygons, ascending."""
        is_there = np.zeros(self._mesh.counts[0], dtype=np.bool_)
        is_there[self.cycles(polygons).members] = True
        return np.flatnonzero(is_there)

    def groups(self, polygons: Int64[np.ndarray, "chosen"], *, vertices: int) -> list[np.ndarray]:
        """The polygons in groups of neighbours with at most so many vertices, but at least one polygon."""
        seen = self._scratch()
        ends, self._token = patches.groups(polygons, self._mesh, vertices, seen, self._token)
        return np.split(polygons, ends[:-1])

    def interpolate(
        self,
        rows: Float64[np.ndarray, "known numbers"],
        *,
        known: Int64[np.ndarray, "known"],
        wanted: Int64[np.ndarray, "wanted"],
    ) -> Float64[np.ndarray, "wanted numbers"]:
        """What is affine on every polygon, given at some vertices, at others that were put between them."""
        seen = self._scratch()
        values: np.ndarray = patches.interpolate(
            np.ascontiguousarray(rows), known, wanted, self._mesh, seen, self._token
        )
        self._token += 2  # one for what was known, one for what was listed
        return values

    def cut_by_units(
        self,
        polygons: Int64[np.ndarray, "chosen"],
        rows: Float64[np.ndarray, "known units"],
        *,
        known: Int64[np.ndarray, "known"],
        kink: float,
        most: int,
    ) -> PolygonCut:
        """Cuts polygons where a unit passes its kink inside them.

        Args:
            polygons: which.
            rows: every unit at their vertices.
            known: these vertices.
            kink: of every unit.
            most: vertices beyond which nothing more is cut.
        """
        tolerance = _ROUNDING * float(np.abs(rows).max(initial=0.0))
        self._mesh.row_of[known] = np.arange(len(known))
        crossing = []
        # In blocks of units: a byte for each unit at each vertex would be too much at once.
        width = max(1, _BLOCK // len(known))
        for start in range(0, rows.shape[1], width):
            block = rows[:, start : start + width]
            sides = np.empty(block.shape, dtype=np.uint8)
            kinks.fill_sides(block, kink, tolerance, sides)
            starts, units = kinks.crossing_units(polygons, self._mesh, sides)
            crossing.append((np.repeat(np.arange(len(polygons)), np.diff(starts)), start + units))
        owners, units = (np.concatenate(column) for column in zip(*crossing, strict=True))
        if len(crossing) > 1:
            # The blocks stand one after the other; the units of a polygon are to stand together.
            order = np.argsort(owners, kind="stable")
            owners, units = owners[order], units[order]
        if not len(units):
            return PolygonCut(polygons, np.arange(len(polygons)), is_complete=True)
        starts = np.searchsorted(owners, np.arange(len(polygons) + 1))
        # Only units that cut something are carried to new vertices.
        active, columns = np.unique(units, return_inverse=True)
        no_windows = np.empty((0, 0), dtype=np.int64)
        rule = Rule(no_windows, kink=kink, tolerance=tolerance)
        return self._cut(polygons, Candidates(starts, columns), rule, rows, active, most)

    def cut_by_leaders(
        self,
        polygons: Int64[np.ndarray, "chosen"],
        rows: Float64[np.ndarray, "known numbers"],
        windows: Int64[np.ndarray, "windows places"],
        *,
        known: Int64[np.ndarray, "known"],
        most: int,
    ) -> PolygonCut:
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
        self._mesh.row_of[known] = np.arange(len(known))
        starts, chosen = leading.contested_windows(
            polygons, self._mesh, np.ascontiguousarray(rows), windows, tolerance
        )
        if not len(chosen):
            return PolygonCut(polygons, np.arange(len(polygons)), is_complete=True)
        used, which = np.unique(chosen, return_inverse=True)
        elements = windows[used]
        active = np.unique(elements[elements >= 0])
        columns = np.where(elements >= 0, np.searchsorted(active, elements), -1)
        rule = Rule(columns, kink=0.0, tolerance=tolerance)
        return self._cut(polygons, Candidates(starts, which), rule, rows, active, most)

    def neighbours(self) -> tuple[Int64[np.ndarray, "edges"], Int64[np.ndarray, "edges"]]:
        """The two polygons of each edge that has two."""
        inside, twin = self._edges()
        polygon = self._mesh.half[:, halfedges.POLYGON]
        return polygon[inside], polygon[twin]

    def borders(self, names: Int64[np.ndarray, "polygons"]) -> Int64[np.ndarray, "edges 2"]:
        """The edges between polygons of different names."""
        left, right = self.neighbours()
        ends = np.column_stack([self._mesh.half[each, halfedges.ORIGIN] for each in self._edges()])
        between: np.ndarray = ends[names[left] != names[right]]
        return between

    def _edges(self) -> tuple[Int64[np.ndarray, "edges"], Int64[np.ndarray, "edges"]]:
        """The two half-edges of each edge that has two."""
        twin = self._mesh.half[: self._mesh.counts[1], halfedges.TWIN]
        # Of two twins the earlier one is taken; at the border the twin is -1, which is not later.
        inside = np.flatnonzero(twin > np.arange(len(twin)))
        return inside, twin[inside]

    def _cut(
        self,
        polygons: Int64[np.ndarray, "chosen"],
        candidates: Candidates,
        rule: Rule,
        rows: Float64[np.ndarray, "known numbers"],
        active: Int64[np.ndarray, "active"],
        most: int,
    ) -> PolygonCut:
        """Cuts polygons by their candidates, which only read the active columns of the rows."""
        # Room for as many new vertices as there are, so that it is seldom exchanged for a longer one.
        table = np.empty((2 * len(rows) + 16, len(active)))
        table[: len(rows)] = rows if len(active) == rows.shape[1] else rows[:, active]
        values = VertexValues(table, n_rows=len(rows), most_rows=most)
        pieces, complete, mesh = cut_polygons(polygons, candidates, rule, values, self._mesh)
        self._mesh = Mesh(*mesh)
        return PolygonCut(pieces[:, 0].copy(), pieces[:, 1].copy(), is_complete=bool(complete))

    def _scratch(self) -> Int64[np.ndarray, "room"]:
        """Room for a token a vertex: 0 where it is new, which is lower than every token."""
        if len(self._seen) < len(self._mesh.spots):
            longer = np.zeros(len(self._mesh.spots), dtype=np.int64)
            longer[: len(self._seen)] = self._seen
            self._seen = longer
        return self._seen
