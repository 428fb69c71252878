"""What the passes over all pairs ask of a kind of rows, whatever their metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.blocks import Blocks
from polylens.clustering.processes import Processes


@dataclass(frozen=True)
class Nearest:
    """The nearest neighbours of every row, by rising distance, in the space's own unit."""

    distances: Float64[np.ndarray, "rows neighbours"]
    who: Int64[np.ndarray, "rows neighbours"]

    @classmethod
    def none_yet(cls, rows: int, neighbours: int) -> Nearest:
        """Room for so many, all infinitely far."""
        return cls(np.full((rows, neighbours), np.inf), np.full((rows, neighbours), -1, dtype=np.int64))

    def with_those_of(self, processes: Processes) -> Nearest:
        """The nearest over the pairs of all processes, each of which has seen other pairs."""
        if processes.count == 1:
            return self
        distances = np.concatenate(processes.gather(self.distances), axis=1)
        who = np.concatenate(processes.gather(self.who), axis=1)
        merged, most = Nearest(distances, who).by_rising_distance(), self.who.shape[1]
        return Nearest(merged.distances[:, :most], merged.who[:, :most])

    def by_rising_distance(self) -> Nearest:
        """Every row's neighbours reordered by rising distance."""
        first = np.argsort(self.distances, axis=1, kind="stable")
        return Nearest(
            np.take_along_axis(self.distances, first, axis=1), np.take_along_axis(self.who, first, axis=1)
        )


@dataclass(frozen=True)
class Groups:
    """Rows in groups, those of one group together."""

    order: Int64[np.ndarray, "rows"]
    """The row at each place."""
    core: Float64[np.ndarray, "rows"]
    """Core distances by place, in the space's own unit."""
    group: Int64[np.ndarray, "rows"]
    """Groups by place, rising."""

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self.group[-1]) + 1


@dataclass(frozen=True)
class Least:
    """The least edges found so far: between every two groups, or out of every group."""

    slot: Int64[np.ndarray, "groups"]
    """The column that edges to a group are kept in: its own, or 0 for all."""
    weight: Float64[np.ndarray, "groups slots"]
    ends: Int64[np.ndarray, "groups slots 2"]
    """The places of the two rows; the one in the group first."""

    @classmethod
    def none_yet(cls, groups: int, *, each_two: bool) -> Least:
        """Room for the least edge between each two groups, or for the least out of each group."""
        slots = groups if each_two else 1
        slot = np.arange(groups, dtype=np.int64) if each_two else np.zeros(groups, dtype=np.int64)
        ends = np.full((groups, slots, 2), -1, dtype=np.int64)
        return cls(slot, np.full((groups, slots), np.inf), ends)

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

    def offer(self, first: slice, second: slice, nearest: Nearest) -> None:
        """Offers every pair of two blocks to both of its rows; equal blocks hold each pair once."""

    def reorder(self, order: Int64[np.ndarray, "rows"]) -> Space:
        """A space in which row `order[place]` stands at `place`."""

    def keep_least(self, first: slice, second: slice, groups: Groups, least: Least) -> None:
        """Keeps the least edges of mutual reachability that two blocks of places hold between groups."""

    def in_units(self, distances: Float64[np.ndarray, "*some"]) -> Float64[np.ndarray, "*some"]:
        """Distances of the space's own unit in the metric's."""
