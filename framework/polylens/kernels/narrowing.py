"""Pairs that a few turned coordinates do not rule out, narrowed down by further ones.

Rows are turned to their principal components (`clustering.turning`), in stages of 128 coordinates. A tile
holds bounds of the squared distances by the first stages and by how long the rest of each row is.

1. From the bound of a pair the part of the rests is taken, so that the squares of the first stages are left.
2. Stage by stage the squares of 128 further differences are added, and with them the square of the difference
   of what the rests behind that stage measure: a bound that only rises, but for rounding.
3. Pairs that it does not rule out move up in the list, without a branch, and the next stage looks at these.

Invariant: a pair is left out only if a lower bound of its distance is at least its limit. The sums hold
nothing but squares, so each rounding takes a share of them, and the limit is made larger by all shares
together. What turned coordinates are off by (`loose`, a share of the lengths) is added to the limit's root:
`(a + b)^2 <= (1 + e) a^2 + (1 + 1/e) b^2`.

Cost: 128 differences for each pair and stage. Memory: two numbers for each column of a tile.
"""

from __future__ import annotations

import numpy as np

from polylens.kernels.compiling import compiled_in_any_order
from polylens.kernels.tiles import Measure

STAGE = 128
"""Turned coordinates that are looked at together."""
_SPARE = 2.0**-11
"""What the limit of a square is made larger by, as a share, so that the part of `loose` is a sum."""
_ROUNDING = 2.0**-12
"""No less than what sums of 1,000 squares in single precision lose, as a share, in any order."""


@compiled_in_any_order
def narrow(
    line: np.ndarray,
    measuring: Measure,
    row: int,
    second: int,
    limit: float,
    limits: np.ndarray,
    factor: float,
    columns: np.ndarray,
    count: int,
    sums: np.ndarray,
    most: np.ndarray,
) -> int:
    """Moves the columns that are not ruled out to the front of `columns`, in their order; how many.

    Args:
        line: bounds of a tile's line, by column.
        measuring: the turned rows.
        row: the place of the line's row.
        second: the place of the row of column 0.
        limit: what a distance must stay below to be of use to the line's row.
        limits: what it must stay below to be of use to each column's row; either is enough.
        factor: 1 where distances are squares, 2 where they are halves of squares.
        columns: columns whose bound is below a limit; updated.
        count: how many there are.
        sums, most: room for a number of every column.
    """
    turned, tails, at, first = measuring.turned, measuring.tails, measuring.at, measuring.first
    i = at[row]
    grown = factor * (1.0 + _SPARE) * (1.0 + _ROUNDING)
    more = (1.0 + 1.0 / _SPARE) * (1.0 + _ROUNDING) * measuring.loose * measuring.loose
    length, behind = np.float64(tails[i, 0]), tails[i, first]
    for index in range(count):
        column = columns[index]
        j = at[second + column]
        lengths = length + np.float64(tails[j, 0])
        most[index] = grown * max(limit, np.float64(limits[column])) + more * lengths * lengths + 1e-37
        rests = np.float64(behind) - np.float64(tails[j, first])
        sums[index] = factor * np.float64(line[column]) - rests * rests * (1.0 + _ROUNDING)
    for stage in range(first, turned.shape[0]):
        a, behind = turned[stage, i], tails[i, stage + 1]
        left = 0
        for index in range(count):
            column = columns[index]
            j = at[second + column]
            b = turned[stage, j]
            squares = np.float32(0)
            for lane in range(STAGE):
                apart = a[lane] - b[lane]
                squares += apart * apart
            rest = behind - tails[j, stage + 1]
            total, top = sums[index] + squares, most[index]
            columns[left], sums[left], most[left] = column, total, top
            left += int(total + rest * rest < top)
        count = left
    return count
