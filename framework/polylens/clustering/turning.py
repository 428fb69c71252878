"""Rows turned so that a few coordinates tell most of their distances.

Along its principal components a row has most of its length in the first few. Two rows are no nearer than
these say, with the difference of the lengths of what is left: a rotation keeps distances, and lengths differ
by no more than what they are lengths of. So products of a tenth of the columns rule most pairs out, and
further coordinates (`kernels.narrowing`) most of the rest, before any is measured.

1. A glance at few rows says whether their spectrum falls. Where it does not, rows are left as they are.
   Directions are the principal components of some rows. They hold for all: any orthogonal ones would do.
2. All rows are turned, in double precision, and put down in stages of 128 coordinates.
3. Rows are put in an order that has near ones together: halves by the coordinate that varies most, and halves
   of these. So rows of one block are each other's neighbours, found before all other pairs are looked at.
4. A trial on a few rows says how many stages products had best take, and whether turning pays.

Invariant: turned rows are off by no more than `loose` of their length, rounding and directions that are not
quite orthogonal included.

Cost: a product of the rows with the directions, and of some rows among themselves. Memory: half of the
rows' at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.clustering.blocks import side_by_side
from polylens.kernels.instructions import multiplies_bfloat16
from polylens.kernels.narrowing import STAGE
from polylens.progress import Silent

_SAMPLE = 4096
"""Rows that the directions are found from."""
_GLANCE = 256
"""Rows that say whether to look at more."""
_QUERIES = 48
"""Rows that a trial compares with all others."""
_NEIGHBOURS = 16
"""Neighbours that the limits of a trial are those of."""
_WIDEST = 768
"""Turned coordinates at most."""
_MOST_FIRST = 3
"""Stages that products take at most."""
_COARSE = 0.45
"""What a column of a product in bfloat16 costs, in columns of one in single precision."""
_LOOK = 15
"""What it costs to look at a pair's bound, in columns of a product."""
_NARROW = 800
"""What it costs to look at a further stage of a pair, in columns of a product."""
_EXACT = 8_000
"""What it costs to measure a pair, in columns of a product."""
_LESS = 0.8
"""Share of the cost without turning from which on rows are turned."""
_WORTH = 4.0
"""How often the cost of turning must go into that of all pairs."""
_HELD = 0.6
"""Share of the variance that the turned coordinates hold where turning is tried."""
_CHUNK = 2048
"""Rows that are turned together."""
_LEAF = 64
"""Rows whose order does not matter."""


@dataclass(frozen=True)
class Turned:
    """Rows along orthogonal directions, in an order of their own that has near ones together."""

    order: Int64[np.ndarray, "rows"]
    """The row at each place."""
    stages: Float32[np.ndarray, "stages rows 128"]
    """Coordinates by place, those of the greatest variance first."""
    tails: Float32[np.ndarray, "rows stages+1"]
    """By place, lengths of what is left of each row behind the first 0, 128, 256, ... coordinates."""
    squares: Float64[np.ndarray, "rows"]
    """By place, squared lengths of the short rows that `block` gives."""
    loose: float
    """What the coordinates may be off by, as a share of a row's length."""
    first: int
    """Stages that products are taken of."""
    coarse: bool
    """Whether these are taken in bfloat16."""

    def in_order(self, order: Int64[np.ndarray, "rows"]) -> Turned:
        """The same rows in another order."""
        if (order == self.order).all():
            return self
        at = np.empty_like(order)
        at[self.order] = np.arange(len(order))
        moved = at[order]
        return replace(
            self,
            order=order,
            stages=self.stages[:, moved],
            tails=self.tails[moved],
            squares=self.squares[moved],
        )

    def block(self, places: slice | Int64[np.ndarray, "_"]) -> Float32[np.ndarray, "some columns"]:
        """Short rows whose distances are no greater than those of the rows, but for `loose`.

        They are the first coordinates and the length of the rest: lengths differ by no more than
        what they are lengths of.
        """
        first = [self.stages[stage, places] for stage in range(self.first)]
        return np.concatenate([*first, self.tails[places, self.first, None]], axis=1)


def turn_rows(
    rows: Float32[np.ndarray, "rows width"], *, scales: Float64[np.ndarray, "rows"] | None
) -> Turned | None:
    """Rows turned to principal components, where comparing them so is quicker; None where it is not.

    Whether it is follows from the spectrum, and from a trial: of how many pairs the first coordinates do not
    say that they are far. Rows so few that turning would take a quarter of the comparing are left as they
    are: fewer than some 24,000 of 1,536 columns.

    Args:
        rows: the rows.
        scales: what each row is divided by; None for nothing.
    """
    n, width = rows.shape
    components = min(_WIDEST, width // 2 // STAGE * STAGE)
    turning = 4.0 * _SAMPLE * width + 20.0 * width**2 + 4.0 * n * components
    if components == 0 or float(n) * n < _WORTH * turning:
        return None
    few = np.linspace(0, n - 1, min(n, _GLANCE, width // 4)).astype(np.int64)
    if not _decays(_prepared(rows, scales, few)):
        return None
    sample = _prepared(rows, scales, np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.int64))
    centre = sample.mean(0)
    sample -= centre
    spectrum, found = np.linalg.eigh(sample.T @ sample)
    if spectrum[-components:].sum() < _HELD * spectrum.sum():
        return None
    directions = found[:, ::-1][:, :components]
    skew = float(np.linalg.norm(directions.T @ directions - np.eye(components)))
    # What sums of products lose in double precision (Jeannerod and Rump 2013), which the length of a tail
    # shows as its root; what the directions lack of being orthogonal; and rounding to single precision.
    loose = np.sqrt(4 * width * np.sqrt(components) * 2.0**-53 + 2 * skew) + 2.0**-22
    stages, tails = _turn(rows, scales, centre, np.ascontiguousarray(directions))
    order = _near_together(stages[0])
    for stage in stages:
        stage[:] = stage[order]
    tails = tails[order]
    coarse = multiplies_bfloat16()
    first = _best_first(stages, tails, width=width, coarse=coarse)
    if first is None:
        return None
    parts = [*stages[:first], tails[:, first, None]]
    squares = sum(np.einsum("rw,rw->r", part, part, dtype=np.float64) for part in parts)
    return Turned(order, stages, tails, np.asarray(squares), loose, first, coarse)


def _prepared(
    rows: Float32[np.ndarray, "rows width"],
    scales: Float64[np.ndarray, "rows"] | None,
    some: slice | Int64[np.ndarray, "some"],
) -> Float64[np.ndarray, "some width"]:
    values = rows[some].astype(np.float64)
    return values if scales is None else values / scales[some, None]


def _decays(some: Float64[np.ndarray, "some width"]) -> bool:
    """Whether a few rows vary mostly in a quarter of the directions they span: a glance, in milliseconds."""
    apart = some - some.mean(0)
    spectrum = np.linalg.eigvalsh(apart @ apart.T)
    return bool(spectrum[-max(len(spectrum) // 4, 1) :].sum() >= _HELD * spectrum.sum())


def _turn(
    rows: Float32[np.ndarray, "rows width"],
    scales: Float64[np.ndarray, "rows"] | None,
    centre: Float64[np.ndarray, "width"],
    directions: Float64[np.ndarray, "width components"],
) -> tuple[Float32[np.ndarray, "stages rows 128"], Float32[np.ndarray, "rows stages+1"]]:
    """Coordinates along the directions, summed in double precision, and lengths of what is behind them."""
    n, count = len(rows), directions.shape[1] // STAGE
    turned = np.empty((count, n, STAGE), dtype=np.float32)
    tails = np.empty((n, count + 1), dtype=np.float32)

    def turn(start: int, _: int) -> None:
        some = slice(start, min(start + _CHUNK, n))
        apart = _prepared(rows, scales, some) - centre
        found = (apart @ directions).reshape(len(apart), count, STAGE)
        turned[:, some] = found.swapaxes(0, 1)
        squares = np.einsum("rsc,rsc->rs", found, found)
        last = np.maximum(np.einsum("rw,rw->r", apart, apart) - squares.sum(1), 0)
        behind = np.concatenate([squares, last[:, None]], axis=1)[:, ::-1].cumsum(1)[:, ::-1]
        tails[some] = np.sqrt(behind)

    side_by_side([range(0, n, _CHUNK)], turn, amount=float, title="", total=n, progress=Silent())
    return turned, tails


def _near_together(rows: Float32[np.ndarray, "rows 128"]) -> Int64[np.ndarray, "rows"]:
    """An order of rows that has near ones together: halves by the coordinate that varies most, and so on."""
    order = np.arange(len(rows), dtype=np.int64)
    parts = [slice(0, len(rows))]
    while parts:
        part = parts.pop()
        size = part.stop - part.start
        if size <= _LEAF:
            continue
        own = rows[order[part]]
        # Halves of whole leaves, so that leaves end where blocks do.
        half = -(-size // (2 * _LEAF)) * _LEAF
        halves = np.argpartition(own[:, own.var(0).argmax()], half)
        order[part] = order[part][halves]
        middle = part.start + half
        parts += [slice(part.start, middle), slice(middle, part.stop)]
    return order


def _best_first(
    stages: Float32[np.ndarray, "stages rows 128"],
    tails: Float32[np.ndarray, "rows stages+1"],
    *,
    width: int,
    coarse: bool,
) -> int | None:
    """How many stages products had best take; None where all of the rows' own columns are quicker.

    What turned rows do not tell of a distance is guessed: that what is left of two rows is orthogonal.
    """
    count, n, _ = stages.shape
    queries = np.linspace(0, n - 1, _QUERIES).astype(np.int64)
    apart = np.zeros((_QUERIES, n), dtype=np.float32)
    bounds = []
    for stage, rows in enumerate(stages, 1):
        apart += _squares_apart(rows[queries], rows)
        bounds.append(apart + np.square(tails[queries, stage, None] - tails[:, stage]))
    guessed = apart + np.square(tails[queries, -1, None]) + np.square(tails[:, -1])
    guessed[np.arange(_QUERIES), queries] = np.inf
    farthest = min(_NEIGHBOURS, n - 1) - 1
    limits = np.partition(guessed, farthest, axis=1)[:, farthest, None]
    # Either of the two rows may have use for the pair.
    left = np.array([2 * float((bound < limits).mean()) for bound in bounds])
    column = _COARSE if coarse else 1.0
    costs = [
        stage * STAGE * column + left[stage - 1 : -1].sum() * _NARROW
        for stage in range(1, min(_MOST_FIRST, count) + 1)
    ]
    best = int(np.argmin(costs))
    cost = costs[best] + left[-1] * _EXACT + _LOOK
    return best + 1 if cost < _LESS * (width + _LOOK) else None


def _squares_apart(
    left: Float32[np.ndarray, "left width"], right: Float32[np.ndarray, "right width"]
) -> Float32[np.ndarray, "left right"]:
    squares = [np.einsum("rw,rw->r", side, side) for side in (left, right)]
    return np.asarray(squares[0][:, None] + squares[1] - 2 * (left @ right.T))
