"""Do two factors add up: is what one changes the same whatever the other is?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from polylens.streams import Streams

_SIGNS = np.array([[-1, -1, 1, 1], [-1, 1, -1, 1], [1, -1, -1, 1]]) / 2
"""Contrasts of the four cells: the first factor, the second, their interaction."""
_BLOCK = 4096
"""Rows summed at a time."""


@dataclass(frozen=True)
class Cells:
    """Rows by two factors and by half of the examples."""

    cell: Int64[np.ndarray, "rows"]
    """0 neither factor, 1 the second alone, 2 the first alone, 3 both."""
    second_half: Bool[np.ndarray, "rows"]

    @staticmethod
    def of(
        first: Bool[np.ndarray, "rows"],
        second: Bool[np.ndarray, "rows"],
        *,
        second_half: Bool[np.ndarray, "rows"],
    ) -> Cells:
        """The cells of rows that have the factors or do not."""
        return Cells(2 * first.astype(np.int64) + second, second_half)

    @property
    def least(self) -> int:
        """Rows of the smallest cell of either half."""
        return int(np.bincount(self.cell + 4 * self.second_half, minlength=8).min())

    def weights(self, times: Int64[np.ndarray, "rows"] | None = None) -> Float32[np.ndarray, "eight rows"]:
        """What each row weighs in the mean of each cell of each half.

        Args:
            times: how often each row counts; once where None.
        """
        cell = self.cell + 4 * self.second_half
        count = np.ones(len(cell)) if times is None else times.astype(np.float64)
        sizes = np.bincount(cell, count, minlength=8)
        weights = np.zeros((8, len(cell)), dtype=np.float32)
        weights[cell, np.arange(len(cell))] = count / np.maximum(sizes[cell], 1)
        return weights


@dataclass(frozen=True)
class Additivity:
    """How two factors act together on the mean of some values."""

    additive_share: float | None
    """Share of the variance of the four cells' means that the two factors explain without their interaction.
    Products of the halves' contrasts: without bias, so that noise can carry it beyond 0 and 1. None where
    the cells do not differ."""
    same_direction: float | None
    """Mean over both factors of the cosine of what a factor adds without the other and what it adds with the
    other, without bias by noise. None where a factor adds nothing."""


def additivity(means: Float64[np.ndarray, "two four width"]) -> Additivity:
    """How two factors act together, from the means of the four cells in two halves of the examples.

    Source: the analysis of variance of a balanced two-by-two design, each square the product of two
        independent estimates.

    >>> square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> additivity(np.stack([square, square]))
    Additivity(additive_share=1.0, same_direction=1.0)
    """
    contrasts = np.einsum("ck,hkw->hcw", _SIGNS, means)
    squares = (contrasts[0] * contrasts[1]).sum(1)
    total = float(squares.sum())
    return Additivity(
        float(squares[:2].sum()) / total if total > 0 else None,
        _same_direction(means),
    )


def cell_means(
    values: Float32[np.ndarray, "rows width"], weights: Float32[np.ndarray, "cells rows"]
) -> Float64[np.ndarray, "sets two four width"]:
    """Means of the cells for one or many sets of eight weights, a block of rows at a time."""
    sums = np.zeros((len(weights), values.shape[1]), dtype=np.float64)
    for start in range(0, len(values), _BLOCK):
        stop = start + _BLOCK
        sums += weights[:, start:stop] @ values[start:stop]
    return sums.reshape(len(weights) // 8, 2, 4, values.shape[1])


def step_from(
    means: Float64[np.ndarray, "four width"], *, factor: int, other: int
) -> Float64[np.ndarray, "width"]:
    """What a factor (0 or 1) adds to the mean where the other factor is absent (0) or present (1)."""
    absent, present = ((other, 2 + other), (2 * other, 2 * other + 1))[factor]
    return np.asarray(means[present] - means[absent])


@dataclass(frozen=True)
class Analogies:
    """Rows to which a factor was added or from which it was taken, and what they landed beside."""

    row: Int64[np.ndarray, "moved"]
    """Each moved row; one row may be moved several times."""
    landed: Bool[np.ndarray, "moved"]
    """Whether the nearest row has the changed factor and the row's own other factor."""
    by_chance: float
    """Share that lands where the columns of what is added are shuffled."""
    unmoved: float
    """Share whose nearest row is such a one with nothing added."""
    at_home: float
    """Share of the rows, as they are, whose nearest row is of their own cell: the most to expect."""


def analogies(
    values: Float32[np.ndarray, "rows width"],
    cells: Cells,
    means: Float64[np.ndarray, "two four width"],
    *,
    example: Int64[np.ndarray, "rows"],
    queries: int,
    targets: int,
    shuffles: int,
    streams: Streams,
) -> Analogies:
    """Adds a factor to rows, or takes it from them, and looks for the nearest row of another example.

    What the factor adds is the difference of two means of the first half, where the other factor is the
    opposite of the row's own: it lands right only where the two add up. Rows that are moved and rows that
    they may land beside are of the second half.

    Args:
        values: of rows: bits, or scores along components.
        cells: of rows.
        means: of the cells.
        example: of each row.
        queries: most rows moved of one cell.
        targets: most rows that can be landed beside.
        shuffles: how often the columns of what is added are shuffled.
        streams: of the draws.
    """
    half = streams.generator("targets").permutation(np.flatnonzero(cells.second_half))[:targets]
    own, among, whose = values[half], cells.cell[half], example[half]
    squares = (own.astype(np.float64) ** 2).sum(1)
    generator = streams.generator("columns")
    moved, landed, beside, unmoved, at_home = [], [], [], [], []

    def nearest(
        rows: Int64[np.ndarray, "some"], step: Float64[np.ndarray, "width"]
    ) -> Int64[np.ndarray, "some"]:
        distance = squares[None] - 2 * ((own[rows] + step.astype(np.float32)) @ own.T)
        distance[whose[rows][:, None] == whose[None]] = np.inf
        return np.asarray(among[distance.argmin(1)])

    for cell in range(4):
        rows = np.flatnonzero(among == cell)[:queries].astype(np.int64)
        if not len(rows):
            continue
        still = nearest(rows, np.zeros(values.shape[1]))
        at_home.append(still == cell)
        for factor, bit in ((0, 2), (1, 1)):
            other = cell & 1 if factor == 0 else cell >> 1
            step = step_from(means[0], factor=factor, other=1 - other) * (-1 if cell & bit else 1)
            moved.append(half[rows])
            landed.append(nearest(rows, step) == cell ^ bit)
            unmoved.append(still == cell ^ bit)
            beside += [nearest(rows, generator.permutation(step)) == cell ^ bit for _ in range(shuffles)]
    chance, without, home = (float(np.concatenate(hits).mean()) for hits in (beside, unmoved, at_home))
    return Analogies(np.concatenate(moved), np.concatenate(landed), chance, without, home)


def _same_direction(means: Float64[np.ndarray, "two four width"]) -> float | None:
    cosines = []
    for factor in (0, 1):
        without, along = ([step_from(half, factor=factor, other=other) for half in means] for other in (0, 1))
        lengths = (without[0] @ without[1]) * (along[0] @ along[1])
        if without[0] @ without[1] <= 0 or lengths <= 0:
            return None
        cosines.append((without[0] @ along[1] + without[1] @ along[0]) / 2 / np.sqrt(lengths))
    return float(np.mean(cosines))
