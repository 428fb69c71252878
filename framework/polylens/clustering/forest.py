"""A spanning forest that grows into a minimum spanning tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.clustering.groups import Groups, KnownEdges
from polylens.clustering.spaces import Least, Nearest


@dataclass
class Forest:
    """Edges of a minimum spanning tree found so far, and the groups of rows they connect."""

    parent: Int64[np.ndarray, "rows"]
    """Union-find over rows."""
    edges: Int64[np.ndarray, "edges 2"]
    weights: Float64[np.ndarray, "edges"]
    found: int = 0
    """How many edges are known; the rest is room."""

    @classmethod
    def of(cls, rows: int) -> Forest:
        """Every row alone."""
        edges = np.empty((rows - 1, 2), dtype=np.int64)
        return cls(np.arange(rows, dtype=np.int64), edges, np.empty(rows - 1))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Forest:
        """What `arrays` gave."""
        return cls(arrays["parent"], arrays["edges"], arrays["weights"], int(arrays["found"]))

    @property
    def is_tree(self) -> bool:
        """Whether all rows are connected."""
        return self.found == len(self.edges)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it, to be kept."""
        found = np.array(self.found)
        return {"parent": self.parent, "edges": self.edges, "weights": self.weights, "found": found}

    def contract(self, nearest: Nearest, core: Float64[np.ndarray, "rows"]) -> None:
        """Takes in the edges to nearest neighbours that are provably least."""
        from polylens.kernels.contraction import contract

        complete = nearest.who.shape[1] == len(core) - 1
        self.found = contract(
            nearest.distances, nearest.who, core, complete, self.parent, self.edges, self.weights
        )

    def known(self, nearest: Nearest, core: Float64[np.ndarray, "rows"]) -> KnownEdges:
        """What the edges to nearest neighbours that are not in yet tell of ways between groups."""
        from polylens.kernels.contraction import roots

        root = roots(self.parent)
        own, rank = np.nonzero(root[nearest.who] != root[:, None])
        other, distances = nearest.who[own, rank], nearest.distances[own, rank]
        weights = np.maximum(distances, np.maximum(core[own], core[other]))
        rising = np.argsort(weights, kind="stable")
        return KnownEdges(np.stack([own, other], axis=1)[rising], weights[rising]).between(self.parent)

    def groups(
        self, core: Float64[np.ndarray, "rows"], floor: Float64[np.ndarray, "rows"], known: KnownEdges
    ) -> Groups:
        """The rows by group."""
        from polylens.kernels.contraction import roots

        return Groups.of(roots(self.parent), core=core, floor=floor, known=known.between(self.parent))

    def join(self, groups: Groups, least: Least) -> None:
        """Takes in the least edges between groups: a tree over all, or the least out of each."""
        from polylens.kernels.between import spanning_groups
        from polylens.kernels.contraction import add_edges

        if least.weight.shape[1] == groups.count > 1:
            near = spanning_groups(least.weight)
            own, slot = np.arange(1, groups.count), near[1:]
        else:
            own, slot = np.arange(groups.count), np.zeros(groups.count, dtype=np.int64)
        ends = least.ends[own, slot]
        self.found = add_edges(
            ends, least.weight[own, slot], self.parent, self.edges, self.weights, self.found
        )
