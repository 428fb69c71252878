"""What the kernels over tiles of distances are given: records of arrays that belong together.

A tile is a rectangle of distances between some rows and some others. Every pass of the engine is a loop over
tiles, and differs only in what it keeps of one: the nearest rows (`nearest`), the least edges between groups
(`between`), or the row that a new one would join (`joining`).

Numba compiles a `NamedTuple` like the arrays it holds, so a record costs nothing at run time. Two records of
one class are one machine code where their fields have the same types; so whoever has no activations gives
empty arrays of activations' types (`no_activations`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_NO_ROWS = np.empty((0, 0), dtype=np.float32)
_NO_TURNED = np.empty((0, 0, 0), dtype=np.float32)
_NO_PLACES = np.empty(0, dtype=np.int64)


class Tile(NamedTuple):
    """Distances, or lower bounds of them, between the rows from `first` and the rows from `second`.

    Where `first == second` the rows meet themselves, and only pairs above the diagonal count.
    """

    values: np.ndarray
    """`rows columns`, float32 or float64, in the space's own unit; at least `n_first` by `n_second`."""
    first: int
    """The row that line 0 belongs to."""
    second: int
    """The row that column 0 belongs to."""
    n_first: int
    """Lines that are no padding."""
    n_second: int
    """Columns that are no padding."""


class Measure(NamedTuple):
    """How the distance of a single pair is measured where a tile holds no more than a bound of it."""

    kind: int
    """One of `distances.EXACT`, SQUARED, COSINE and ABSOLUTE; with EXACT the tile is the distance, and the
    other fields are never read."""
    left: np.ndarray
    """`rows width`, float32: the activations that lines of a tile stand for."""
    left_lengths: np.ndarray
    """`rows`, float64: their Euclidean lengths; read for COSINE alone."""
    right: np.ndarray
    """`rows width`, float32: the activations that columns of a tile stand for."""
    right_lengths: np.ndarray
    """`rows`, float64: their Euclidean lengths; read for COSINE alone."""
    order: np.ndarray = _NO_PLACES
    """`rows`, int64: the row at each place, where a tile's lines and columns are places; read for tiles of
    neighbours alone (groups have their own)."""
    turned: np.ndarray = _NO_TURNED
    """`stages rows 128`, float32: the rows, where both sides are the same, along some orthogonal directions,
    those of the greatest variance first; empty where there are none."""
    tails: np.ndarray = _NO_ROWS
    """`rows stages+1`, float32: the length of what is left of each row behind the first 0, 128, 256, ... of
    these."""
    at: np.ndarray = _NO_PLACES
    """`rows`, int64: where `turned` and `tails` have the row at each place."""
    first: int = 0
    """Stages that a tile's bounds hold."""
    loose: float = 0.0
    """What a row's turned coordinates are off by, as a share of the row's length."""


class BitRows(NamedTuple):
    """Rows of bits in tiles of 64 rows, as `popcount` reads them."""

    words: np.ndarray
    """`tiles words 64`, uint64: word by word, 64 rows beside each other."""
    ones: np.ndarray
    """`64 tiles`, int64: the set bits of each row, 0 for padding; empty where only differing bits count."""
    n_rows: int
    """Rows that are no padding."""


class TilePairs(NamedTuple):
    """Two blocks of tiles, every tile of one to meet every tile of the other.

    Where `a_from == b_from` the block meets itself, each two tiles once.
    """

    a_from: int
    """First tile of the one block."""
    a_to: int
    """The tile behind its last."""
    b_from: int
    """First tile of the other block."""
    b_to: int
    """The tile behind its last."""


class Neighbours(NamedTuple):
    """The nearest rows of every row so far; updated in place."""

    near: np.ndarray
    """`rows neighbours`, float64: their distances, rising, in the space's own unit; infinite where there is
    none yet."""
    who: np.ndarray
    """`rows neighbours`, int64: their numbers; -1 where there is none yet."""


class GroupedRows(NamedTuple):
    """Rows in groups. A row is known by its rank: its index in an order that has each group together."""

    order: np.ndarray
    """`rows`, int64: the row number at each rank."""
    floor: np.ndarray
    """`rows`, float64: what an edge of the row at each rank weighs at least if it is of use, in the space's
    own unit: the core distance, or more."""
    group: np.ndarray
    """`rows`, int64: the group at each rank."""


class LeastEdges(NamedTuple):
    """The least edges that leave the groups so far; `weight` and `ends` are updated in place."""

    slot: np.ndarray
    """`groups`, int64: column `slot[h]` of line g is for edges from g to h. With `slot[h] = h` every two
    groups keep their least edge; with `slot[h] = 0` each group keeps the least that leaves it."""
    weight: np.ndarray
    """`groups slots`, float64: mutual reachability, in the space's own unit; infinite where there is none."""
    ends: np.ndarray
    """`groups slots 2`, int64: the rows of both ends, the one in the line's group first."""


class NearCentres(NamedTuple):
    """The centre that every row is nearest to; updated in place."""

    labels: np.ndarray
    """`rows`, int64: which centre."""
    own: np.ndarray
    """`rows`, float64: no less than the distance to it; infinite where nothing is known."""
    low: np.ndarray
    """`rows centres`, float32: no more than the distance to each centre; infinite at the row's own."""


class Clustered(NamedTuple):
    """Rows of a clustering that new rows may join."""

    core: np.ndarray
    """`rows`, float64: core distances, in the metric's unit."""
    rank: np.ndarray
    """`rows`, int64: among equally near rows the one of lowest rank is joined."""
    bits: float
    """How many bits are one unit of Hamming distance; 1 where distances are no counts of bits."""


class Joins(NamedTuple):
    """What is known of new rows so far; updated in place."""

    nearest: Neighbours
    """The nearest rows of each new row."""
    reach: np.ndarray
    """`new`, float64: the least `max(core, distance)` of each new row, in the metric's unit; infinite where
    there is none yet."""
    best: np.ndarray
    """`new`, int64: the rank of the row that has it."""


def no_activations(kind: int) -> Measure:
    """The measure of rows that have no activations: empty arrays, of the types that activations have.

    Made by Python and not by the kernels, so that rows of bits and rows of numbers share one machine code.
    """
    rows, lengths = np.empty((0, 0), dtype=np.float32), np.empty(0, dtype=np.float64)
    return Measure(kind, rows, lengths, rows, lengths)
