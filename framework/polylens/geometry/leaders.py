"""Where in a slice which output is the largest.

1. A copy of the subdivision is cut by one window that holds all outputs (`subdivision.cut_by_leaders`), so
   that no other output is the largest inside a piece.
2. The outputs are carried to the new vertices, where they are affine between the old ones, and the largest
   of a piece is read off the mean of its vertices.
3. Pieces with one winner that share an edge are one region.

Cost: that of the cuts, and one look at every edge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from polylens.geometry.subdivision import Cycles, Subdivision


@dataclass(frozen=True, eq=False)
class Leaders:
    """The cells of a slice, cut further where another output becomes the largest."""

    places: Float64[np.ndarray, "vertices 2"]
    cycles: Cycles
    """The vertices of each piece, in order around it."""
    winner: Int64[np.ndarray, "pieces"]
    """The output that is the largest all over the piece, the first of equal ones."""
    cell: Int64[np.ndarray, "pieces"]
    """The cell that it is a part of."""
    region: Int64[np.ndarray, "pieces"]
    """Pieces with one winner that hang together have one number."""
    boundary: Float64[np.ndarray, "edges 2 2"]
    """The decision boundary: line segments (from, to) between pieces with different winners."""

    def of_cells(self, cell: Int64[np.ndarray, "cells"]) -> Leaders:
        """The pieces after the cells were numbered anew: `cell[k]` is the new number of cell k."""
        return replace(self, cell=cell[self.cell])


def leaders(complete: Subdivision, outputs: Float64[np.ndarray, "vertices numbers"]) -> Leaders:
    """Cuts the polygons of a subdivision where another output becomes the largest; leaves it as it is.

    Args:
        complete: whose polygons are cut.
        outputs: at its vertices, affine on every polygon.
    """
    finer, everything, known = complete.copy(), np.arange(complete.n_polygons), np.arange(len(outputs))
    cell = everything
    if outputs.shape[1] > 1:
        cut = finer.cut_by_leaders(
            everything, outputs, np.arange(outputs.shape[1])[None], known=known, most=2**62
        )
        cell = np.empty(finer.n_polygons, dtype=np.int64)
        cell[cut.polygons] = everything[cut.source]
    cycles = finer.cycles()
    values = finer.interpolate(outputs, known=known, wanted=np.arange(len(finer.places)))
    # Inside the piece: at its border two outputs may be equal.
    winner = cycles.middles(values).argmax(axis=1)
    # Pieces are joined where they share an edge, not only a corner.
    left, right = finer.neighbours()
    alike = winner[left] == winner[right]
    links = coo_array((np.ones(int(alike.sum())), (left[alike], right[alike])), shape=(len(winner),) * 2)
    region = connected_components(links, directed=False)[1].astype(np.int64)
    places = finer.places.copy()
    return Leaders(places, cycles, winner, cell, region, places[finer.borders(winner)])
