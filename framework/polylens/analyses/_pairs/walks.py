"""Pairs of examples as paths through a network: what is common to the kinds that walk them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64

from polylens.analyses._pairs import Route, Side
from polylens.analyses._probing import tensor_of
from polylens.geometry import Part, Path, great_circle, path_crossings
from polylens.progress import Progress
from polylens.statistics import MeasuredPairs, Pairs


@dataclass(frozen=True, eq=False)
class WalkedPairs:
    """Pairs of one side, and the path between the ends of each."""

    pairs: Pairs
    paths: tuple[Path, ...]

    def measure(self, units: Float64[np.ndarray, "layers"]) -> MeasuredPairs:
        """Lengths of the paths, and the share of each layer's units that they cross; last the mean share."""
        share = self.crossings(len(units)) / units
        pooled = np.concatenate([share, share.mean(1, keepdims=True)], axis=1)
        lengths = np.array([path.length for path in self.paths])
        return MeasuredPairs(self.pairs, lengths, pooled)

    def crossings(self, n_layers: int) -> Float64[np.ndarray, "pairs layers"]:
        """How many boundaries of each layer each path crosses."""
        counts = [np.bincount(path.nonlinearity, minlength=n_layers) for path in self.paths]
        return np.array(counts, dtype=np.float64)


def units_of(part: Part) -> Float64[np.ndarray, "layers"]:
    """Units (of pools: windows) of each nonlinearity."""
    return np.array([np.prod(part.shapes[item.name]) for item in part.nonlinearities], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Walker:
    """Walks from one end of a pair to the other and finds every boundary on the way."""

    part: Part
    """Of the network, from the layer whose space the paths are in."""
    points: Float32[np.ndarray, "rows ..."]
    """Of that layer: the ends of the paths, by row."""
    vertices: int
    """The largest batch that is walked at once."""
    switches: bool
    """Whether it is noted where the predicted class changes."""
    progress: Progress
    route: Route = "straight"
    chords: int = 1
    """Straight pieces of a great circle."""

    def walk(self, pairs: Pairs, side: Side) -> WalkedPairs:
        """The paths between the ends of each pair; pairs that no such path joins are left out."""
        kept: list[int] = []

        def corners() -> Iterator[torch.Tensor]:
            for index, (left, right) in enumerate(zip(pairs.left, pairs.right, strict=True)):
                ends = tensor_of(self.points[[left, right]])
                path = great_circle(*ends, chords=self.chords) if self.route == "spherical" else ends
                if path is not None:
                    kept.append(index)
                    yield path
                task.advance()

        with self.progress.task(f"walking {side}-class paths", total=len(pairs), unit="paths") as task:
            crossings = path_crossings(self.part, corners(), vertices=self.vertices, switches=self.switches)
            paths = tuple(crossings)
        index = np.array(kept, dtype=np.int64)
        return WalkedPairs(Pairs(pairs.left[index], pairs.right[index]), paths)
