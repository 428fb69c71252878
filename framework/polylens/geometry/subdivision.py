"""Convex polygons that lines cut into convex polygons, with shared vertices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True, eq=False)
class Cycles:
    """Polygons in one row of vertices."""

    members: Int64[np.ndarray, "corners"]
    following: Int64[np.ndarray, "corners"]
    """The vertex after each in its polygon."""
    firsts: Int64[np.ndarray, "polygons"]
    """Where each polygon starts."""
    lengths: Int64[np.ndarray, "polygons"]


class Subdivision:
    """Polygons, as cycles of vertices. A new vertex lies on an edge between two older ones.

    An edge is cut once; from then on its two halves stand for it, in every polygon. So neighbours share their
    vertices whatever the order in which they are cut.
    """

    def __init__(self, corners: Float64[np.ndarray, "corners 2"]) -> None:
        self.places: list[np.ndarray] = list(corners)
        """Coordinates in the plane, by vertex."""
        self.parents: list[tuple[int, int, float]] = [(0, 0, 0.0)] * len(corners)
        """The ends of the edge that a vertex was put on, and how far along."""
        self.polygons: list[list[int]] = [list(range(len(corners)))]
        self._cut: dict[tuple[int, int], int] = {}

    def refined(self, polygon: Sequence[int]) -> list[int]:
        """The polygon with every vertex that neighbours put on its edges."""
        found: list[int] = []
        waiting = [(one, other) for one, other in zip(polygon, [*polygon[1:], polygon[0]], strict=True)][::-1]
        while waiting:
            one, other = waiting.pop()
            middle = self._cut.get((one, other) if one < other else (other, one))
            if middle is None:
                found.append(one)
            else:
                waiting += [(middle, other), (one, middle)]
        return found

    def split(
        self, polygon: list[int], values: np.ndarray, *, tolerance: float, created: Callable[[int], None]
    ) -> tuple[list[int], list[int]] | None:
        """The two sides of a line through a polygon, above first; None where the line does not pass inside.

        Args:
            polygon: with nothing to refine.
            values: of the line's function at its vertices.
            tolerance: within which a vertex is on the line.
            created: is told each new vertex, and gives it its values before anything else is asked of it.
        """
        signs = [0 if abs(value) <= tolerance else (1 if value > 0 else -1) for value in values.tolist()]
        if 1 not in signs or -1 not in signs:
            return None
        upper: list[int] = []
        lower: list[int] = []
        count = len(polygon)
        for place, vertex in enumerate(polygon):
            sign, after = signs[place], signs[(place + 1) % count]
            if sign >= 0:
                upper.append(vertex)
            if sign <= 0:
                lower.append(vertex)
            if sign * after < 0:
                other = polygon[(place + 1) % count]
                share = float(values[place] / (values[place] - values[(place + 1) % count]))
                middle = self._put(vertex, other, share)
                created(middle)
                upper.append(middle)
                lower.append(middle)
        return upper, lower

    def _put(self, one: int, other: int, share: float) -> int:
        """A new vertex on the edge from `one` to `other`."""
        if one > other:
            one, other, share = other, one, 1.0 - share
        middle = len(self.places)
        self.places.append((1.0 - share) * self.places[one] + share * self.places[other])
        self.parents.append((one, other, share))
        self._cut[one, other] = middle
        return middle

    def extended(self, rows: Float64[np.ndarray, "known numbers"]) -> Float64[np.ndarray, "vertices numbers"]:
        """What is affine on every polygon, given at the oldest vertices, at all vertices."""
        known, total = len(rows), len(self.places)
        result = np.empty((total, rows.shape[1]))
        result[:known] = rows
        if total == known:
            return result
        one, other, share = (np.array(column) for column in zip(*self.parents[known:], strict=True))
        for members in _generations(one, other, known):
            weight = share[members, None]
            ends = result[one[members]], result[other[members]]
            result[known + members] = (1.0 - weight) * ends[0] + weight * ends[1]
        return result

    def flat(self) -> Cycles:
        """All polygons one after the other."""
        lengths = np.array([len(polygon) for polygon in self.polygons])
        members = np.fromiter(chain.from_iterable(self.polygons), dtype=np.int64, count=int(lengths.sum()))
        firsts = np.cumsum(lengths) - lengths
        following = np.empty_like(members)
        following[:-1] = members[1:]
        following[firsts + lengths - 1] = members[firsts]
        return Cycles(members, following, firsts, lengths)

    def areas(self) -> Float64[np.ndarray, "polygons"]:
        """The area of each polygon."""
        cycles, places = self.flat(), np.array(self.places)
        # Relative to a corner, so that nothing large is taken from something large.
        corners = np.repeat(places[cycles.members[cycles.firsts]], cycles.lengths, axis=0)
        one, other = places[cycles.members] - corners, places[cycles.following] - corners
        turns = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
        found: np.ndarray = np.abs(np.add.reduceat(turns, cycles.firsts)) / 2
        return found

    def middles(self, values: Float64[np.ndarray, "vertices numbers"]) -> np.ndarray:
        """The mean of what the vertices of each polygon have."""
        cycles = self.flat()
        sums = np.add.reduceat(values[cycles.members], cycles.firsts, axis=0)
        found: np.ndarray = sums / cycles.lengths[:, None]
        return found

    def edges(self) -> Int64[np.ndarray, "edges 2"]:
        """Every edge once."""
        cycles = self.flat()
        ends = np.sort(np.column_stack([cycles.members, cycles.following]), axis=1)
        found: np.ndarray = np.unique(ends, axis=0)
        return found

    def borders(self, names: Int64[np.ndarray, "polygons"]) -> Int64[np.ndarray, "edges 2"]:
        """The edges between polygons of different names."""
        cycles = self.flat()
        ends = np.sort(np.column_stack([cycles.members, cycles.following]), axis=1)
        whose = np.repeat(names, cycles.lengths)
        order = np.lexsort((ends[:, 1], ends[:, 0]))
        ends, whose = ends[order], whose[order]
        same = (ends[1:] == ends[:-1]).all(axis=1)
        found: np.ndarray = ends[1:][same & (whose[1:] != whose[:-1])]
        return found


def _generations(
    one: Int64[np.ndarray, "new"], other: Int64[np.ndarray, "new"], known: int
) -> list[Int64[np.ndarray, "_"]]:
    """New vertices in groups, none of which stands on one of its own group."""
    depth = [0] * known
    for first, second in zip(one.tolist(), other.tolist(), strict=True):
        depth.append(1 + max(depth[first], depth[second]))
    depths = np.array(depth[known:])
    return [np.flatnonzero(depths == level) for level in range(1, depths.max() + 1)]
