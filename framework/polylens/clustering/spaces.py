"""What the passes over all pairs ask of a kind of rows, whatever their metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.blocks import Blocks
from polylens.clustering.groups import Groups, OpenRows, path_weights
from polylens.clustering.processes import Processes


@dataclass(frozen=True)
class Nearest:
    """The nearest neighbours of every row, by rising distance, in the space's own unit."""

    distances: Float64[np.ndarray, "rows neighbours"]
    who: Int64[np.ndarray, "rows neighbours"]

    @classmethod
    def none_yet(cls, reach: Float64[np.ndarray, "rows"], neighbours: int) -> Nearest:
        """Room for so many of each row, all of them nearer than `reach`."""
        distances = np.repeat(reach[:, None], neighbours, axis=1)
        return cls(distances, np.full(distances.shape, -1, dtype=np.int64))

    def with_those_of(self, processes: Processes) -> Nearest:
        """The nearest over the pairs of all processes, each of which has seen other pairs."""
        if processes.count == 1:
            return self
        distances = np.concatenate(processes.gather(self.distances), axis=1)
        who = np.concatenate(processes.gather(self.who), axis=1)
        merged, most = Nearest(distances, who).by_rising_distance(), self.who.shape[1]
        return Nearest(merged.distances[:, :most], merged.who[:, :most])

    def by_rows(self, order: Int64[np.ndarray, "rows"]) -> Nearest:
        """The same by row, where lines and neighbours are places; `order` has the row at each place."""
        distances, who = np.empty_like(self.distances), np.empty_like(self.who)
        distances[order], who[order] = self.distances, order[self.who]
        return Nearest(distances, who)

    def by_rising_distance(self) -> Nearest:
        """Every row's neighbours reordered by rising distance."""
        first = np.argsort(self.distances, axis=1, kind="stable")
        return Nearest(
            np.take_along_axis(self.distances, first, axis=1), np.take_along_axis(self.who, first, axis=1)
        )


@dataclass(frozen=True)
class Least:
    """The least edges found so far: between every two groups, or out of every group."""

    slot: Int64[np.ndarray, "groups"]
    """The column that edges to a group are kept in: its own, or 0 for all."""
    weight: Float64[np.ndarray, "groups slots"]
    ends: Int64[np.ndarray, "groups slots 2"]
    """The two rows; the one in the group first. -1 where no edge is known, or none that could be of use."""

    @classmethod
    def none_yet(cls, groups: int, *, each_two: bool) -> Least:
        """Room for the least edge between each two groups, or for the least out of each group."""
        slots = groups if each_two else 1
        slot = np.arange(groups, dtype=np.int64) if each_two else np.zeros(groups, dtype=np.int64)
        ends = np.full((groups, slots, 2), -1, dtype=np.int64)
        return cls(slot, np.full((groups, slots), np.inf), ends)

    @classmethod
    def known(cls, groups: Groups, *, each_two: bool) -> Least:
        """What known edges leave to be found.

        Two groups that a path of known edges connects have a weight just above its heaviest edge: a spanning
        tree never takes it, as all edges of the path are there.
        """
        least, edges = cls.none_yet(groups.count, each_two=each_two), groups.known
        if each_two:
            least.weight[:] = np.nextafter(
                path_weights(groups.joined, edges.weights, count=groups.count), np.inf
            )
        for own, other, rows in (
            (*groups.joined.T, edges.rows),
            (*groups.joined[:, ::-1].T, edges.rows[:, ::-1]),
        ):
            slot = least.slot[other]
            # The heaviest first: where a group has one edge for all others the least stays.
            for edge in np.flatnonzero(edges.weights < least.weight[own, slot])[::-1]:
                least.weight[own[edge], slot[edge]] = edges.weights[edge]
                least.ends[own[edge], slot[edge]] = rows[edge]
        return least

    def copy(self) -> Least:
        """The same, to be changed apart from this."""
        return Least(self.slot, self.weight.copy(), self.ends.copy())

    @classmethod
    def of_all(cls, several: Sequence[Least]) -> Least:
        """The least of several findings on other pairs of the same groups."""
        weight, ends = several[0].weight, several[0].ends
        for other in several[1:]:
            less = other.weight < weight
            weight = np.where(less, other.weight, weight)
            ends = np.where(less[..., None], other.ends, ends)
        return cls(several[0].slot, weight, ends)

    def with_those_of(self, processes: Processes) -> Least:
        """The least over the pairs of all processes."""
        weights, ends = processes.gather(self.weight), processes.gather(self.ends)
        return Least.of_all([Least(self.slot, *found) for found in zip(weights, ends, strict=True)])


@runtime_checkable
class Space(Protocol):
    """Rows and a distance, in a unit of its own in which larger means farther."""

    blocks: Blocks

    def reach(self, neighbours: int) -> Float64[np.ndarray, "rows"]:
        """By place, a number above the distances to the nearest so many; infinite where nothing is known."""

    def offer(self, first: slice, second: slice, nearest: Nearest) -> None:
        """Offers every pair of two blocks to both of its rows; equal blocks hold each pair once."""

    def by_rows(self, nearest: Nearest) -> Nearest:
        """Neighbours by row, of neighbours by place: a space may have its rows in an order of its own."""

    def reorder(self, order: Int64[np.ndarray, "rows"]) -> Space:
        """A space in which row `order[place]` stands at `place`."""

    def keep_least(self, first: slice, second: slice, rows: OpenRows, least: Least) -> None:
        """Keeps the least edges of mutual reachability that two blocks of places hold between groups.

        Only pairs of open rows need be looked at.
        """

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Distances of the space's own unit in the metric's."""
