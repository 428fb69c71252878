"""Crossings along paths: how many lie in which piece of a path, and how near to given places on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True)
class PathCrossings:
    """Crossings on paths. Positions are shares of a path's length, from 0 to 1."""

    length: Float64[np.ndarray, "paths"]
    path: Int64[np.ndarray, "crossings"]
    """Number of the path that each crossing is on, ascending."""
    position: Float64[np.ndarray, "crossings"]
    """Where each crossing is on its path; ascending on each path."""
    layer: Int64[np.ndarray, "crossings"]
    units: Float64[np.ndarray, "layers"]
    """Units of each layer: crossings are counted as shares of them."""

    def shares(
        self, path: Int64[np.ndarray, "places"], edges: Float64[np.ndarray, "places edges"]
    ) -> Float64[np.ndarray, "places measures pieces"]:
        """Crossings between each two edges, as shares of each layer's units; the last measure is their mean.

        Args:
            path: the path that each row of edges is on.
            edges: ascending positions; those beyond a path's ends stand for its ends.

        >>> position, layer = np.array([0.1, 0.2, 0.8]), np.array([0, 1, 1])
        >>> path = np.zeros(3, np.int64)
        >>> crossings = PathCrossings(np.array([2.0]), path, position, layer, units=np.array([10.0, 5.0]))
        >>> crossings.shares(np.array([0]), np.array([[0.0, 0.5, 1.0]])).round(3).tolist()
        [[[0.1, 0.0], [0.2, 0.2], [0.15, 0.1]]]
        """
        shares = np.zeros((len(path), len(self.units) + 1, edges.shape[1] - 1))
        # Paths are laid one after the other, two apart: so one sorted list serves all.
        wanted = 2.0 * path[:, None] + np.clip(edges, 0.0, 1.0)
        for layer, units in enumerate(self.units):
            chosen = self.layer == layer
            at = 2.0 * self.path[chosen] + self.position[chosen]
            shares[:, layer] = np.diff(np.searchsorted(at, wanted), axis=1) / units
        shares[:, -1] = shares[:, :-1].mean(axis=1)
        return shares

    def lengths(
        self, path: Int64[np.ndarray, "places"], edges: Float64[np.ndarray, "places edges"]
    ) -> Float64[np.ndarray, "places pieces"]:
        """Euclidean length of the path between each two edges; beyond its ends there is none."""
        lengths: np.ndarray = np.diff(np.clip(edges, 0.0, 1.0), axis=1) * self.length[path, None]
        return lengths


@dataclass(frozen=True)
class PathPlaces:
    """Places on paths, such as those where a prediction switches."""

    path: Int64[np.ndarray, "places"]
    position: Float64[np.ndarray, "places"]

    def reverse(self) -> PathPlaces:
        """Each place as far from the end of its path as it was from the start."""
        return PathPlaces(self.path, 1.0 - self.position)

    def exchange(self, generator: np.random.Generator) -> PathPlaces:
        """Each path that has places gets those of such a path, drawn at random without replacement."""
        paths, which = np.unique(self.path, return_inverse=True)
        return PathPlaces(generator.permutation(paths)[which], self.position)


@dataclass(frozen=True)
class PathProfile:
    """What lies in equally many pieces of paths, a row for each path or place."""

    crossed: Float64[np.ndarray, "rows measures pieces"]
    """Shares of units that are crossed there."""
    length: Float64[np.ndarray, "rows pieces"]

    @staticmethod
    def along(crossings: PathCrossings, *, pieces: int) -> PathProfile:
        """Crossings and lengths in each of equally long pieces of every path.

        Args:
            crossings: on all paths.
            pieces: how many each path is cut into.
        """
        paths = np.arange(len(crossings.length), dtype=np.int64)
        edges = np.broadcast_to(np.linspace(0.0, 1.0, pieces + 1), (len(paths), pieces + 1))
        return PathProfile(crossings.shares(paths, edges), crossings.lengths(paths, edges))

    @staticmethod
    def around(
        crossings: PathCrossings, places: PathPlaces, offsets: Float64[np.ndarray, "edges"]
    ) -> PathProfile:
        """Crossings and lengths in pieces of the path around each place; nothing lies beyond a path's ends.

        Args:
            crossings: on all paths.
            places: on the paths; one row of the profile each.
            offsets: ascending, from each place, as shares of the path; a piece lies between each two.
        """
        edges = places.position[:, None] + offsets
        return PathProfile(crossings.shares(places.path, edges), crossings.lengths(places.path, edges))

    def density(
        self, weight: Float64[np.ndarray, "rows"] | None = None
    ) -> Float64[np.ndarray, "measures pieces"]:
        """Share of units crossed per unit length: sums over rows, each as often as its weight says.

        NaN where the pieces have no length.
        """
        weight = np.ones(len(self.length)) if weight is None else weight
        above = np.tensordot(weight, self.crossed, 1)
        below = np.broadcast_to(weight @ self.length, above.shape)
        density: np.ndarray = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
        return density
