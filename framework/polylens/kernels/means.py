"""Which of some centres is nearest to every row, while the centres move.

1. Every row keeps the distance to its own centre, and for every other centre a lower bound of the distance.
2. `lower_bounds` takes off each bound how far its centre moved, and counts the bounds that do not rule their
   centre out. Late in a run most rows have none.
3. `settle` measures what is left, in double precision and in one fixed order (`distances.measure`); of
   equally near centres the first is taken. So a row's centre depends on its numbers alone, not on its place.
4. `move_sums` carries the rows that changed over from one centre's sum to another's.

Invariant: a bound is never above the distance.

Cost: a subtraction and a comparison for each row and centre; a distance for each bound that is too low.
Memory: four bytes for each row and centre.

Source: Elkan 2003, "Using the triangle inequality to accelerate k-means".
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled, compiled_for_many
from polylens.kernels.distances import measure
from polylens.kernels.tiles import Measure, NearCentres

_KEPT = np.float32(1.0 - 2.0**-22)
"""What is left of a bound in single precision from which something was taken."""
_GROWN = 1.0 + 1e-12
"""What a distance grows by where it is kept as an upper bound in double precision."""
_ROUNDING = 1e-6
"""Share of a number, more than it loses where it is rounded to single precision."""
_LEAST = 1e-44
"""What the least numbers of single precision may lose besides."""
_MOST = 1e38
"""A number that single precision holds."""


@compiled
def rounded_down(distance: float) -> np.float32:
    """A number of single precision that is no greater than the distance."""
    return np.float32(min(max(distance * (1.0 - _ROUNDING) - _LEAST, 0.0), _MOST))


@compiled
def rounded_up(distance: float) -> np.float32:
    """A number of single precision that is no less than the distance."""
    return np.float32(distance * (1.0 + _ROUNDING) + _LEAST)


@compiled_for_many
def lower_bounds(near: NearCentres, moved: np.ndarray, unsure: np.ndarray) -> int:
    """Brings the bounds of rows down by how far centres moved.

    Args:
        near: updated.
        moved: `centres`, float64: how far each has moved, rounded up.
        unsure: `rows`, bool: filled in: whether any bound leaves open that another centre is nearer.

    Returns:
        How many bounds are no greater than the distance to the row's own centre can be.
    """
    own, low, labels = near.own, near.low, near.labels
    n_low = 0
    steps = np.empty(len(moved), dtype=np.float32)
    for centre in range(len(moved)):
        steps[centre] = rounded_up(moved[centre])
    for row in range(len(own)):
        own[row] = (own[row] + moved[labels[row]]) * _GROWN
        limit = rounded_up(own[row])
        line, before = low[row], n_low
        for centre in range(len(line)):
            line[centre] = max((line[centre] - steps[centre]) * _KEPT, np.float32(0.0))
            n_low += int(line[centre] <= limit)
        unsure[row] = n_low > before
    return n_low


@compiled_for_many
def settle(measuring: Measure, near: NearCentres) -> None:
    """Finds the nearest centre of rows; of equally near ones the first.

    Args:
        measuring: squared distances of rows, on the left, and centres, on the right; a row whose bounds rule
            all other centres out is not read.
        near: updated.
    """
    own, low, labels = near.own, near.low, near.labels
    for row in range(len(own)):
        line = low[row]
        limit = rounded_up(own[row])
        of_use = False
        for centre in range(len(line)):  # nothing but comparisons, so that it becomes vector code
            of_use |= line[centre] <= limit
        if not of_use:
            continue
        mine = labels[row]
        least = measure(measuring, row, mine)
        reach = np.sqrt(least) * _GROWN
        for centre in range(len(line)):
            if line[centre] > reach or centre == mine:
                continue
            square = measure(measuring, row, centre)
            if square < least or (square == least and centre < mine):
                line[mine] = rounded_down(np.sqrt(least))
                line[centre] = np.inf  # a row's own centre needs no bound
                least, mine = square, centre
                reach = np.sqrt(least) * _GROWN
            else:
                line[centre] = rounded_down(np.sqrt(square))
        labels[row] = mine
        own[row] = reach


@compiled_for_many
def begin(squares: np.ndarray, lost: np.ndarray, near: NearCentres) -> None:
    """Starts the bounds of rows, from squared distances that are right but for rounding.

    Args:
        squares: `rows centres`, float64: squared distances.
        lost: `rows centres`, float64: what each may be off by.
        near: updated.
    """
    for row in range(len(squares)):
        mine = 0
        for centre in range(squares.shape[1]):
            near.low[row, centre] = rounded_down(np.sqrt(max(squares[row, centre] - lost[row, centre], 0.0)))
            if squares[row, centre] < squares[row, mine]:
                mine = centre
        near.labels[row] = mine
        near.own[row] = np.sqrt(squares[row, mine] + lost[row, mine]) * _GROWN
        near.low[row, mine] = np.inf


@compiled_for_many
def move_sums(
    rows: np.ndarray, before: np.ndarray, after: np.ndarray, sums: np.ndarray, counts: np.ndarray
) -> None:
    """Takes rows whose label changed out of the sum that they were in and into another, in their order.

    Args:
        rows: `rows width`, float32; those whose label is the same are not read.
        before, after: `rows`, int64: the labels; -1 before for a row that was in no sum.
        sums: `centres width`, float64; updated.
        counts: `centres`, int64; updated.
    """
    for row in range(len(before)):
        old, new = before[row], after[row]
        if old == new:
            continue
        if old >= 0:
            counts[old] -= 1
            for column in range(rows.shape[1]):
                sums[old, column] -= rows[row, column]
        counts[new] += 1
        for column in range(rows.shape[1]):
            sums[new, column] += rows[row, column]
