"""Rows turned so that a few coordinates tell most of their distances.

Along its principal components a row has most of its length in the first few. Two rows are no nearer than
these say, with the difference of the lengths of what is left: a rotation keeps distances, and lengths differ
by no more than what they are lengths of. So products of a tenth of the columns rule most pairs out, and
further coordinates most of the rest, before any is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from polylens.clustering.blocks import side_by_side
from polylens.kernels.distances import STAGE
from polylens.progress import Silent

_SAMPLE = 4096
"""Rows that the directions are found from."""
_QUERIES = 48
"""Rows that a trial compares with all others."""
_NEIGHBOURS = 16
"""Neighbours that the limits of a trial are those of."""
_WIDEST = 512
"""Turned coordinates at most."""
_WIDTHS = (32, 64, 96, 128, 192, 256, 384, 512)
"""How many coordinates products may take."""
_LOOK = 150
"""What it costs to look at a pair's bound, in columns of a product."""
_STAGES = 2400
"""What it costs to look at further coordinates of a pair, in columns of a product."""
_EXACT = 4_000
"""What it costs to measure a pair, in columns of a product."""
_LESS = 0.8
"""Share of the cost without turning from which on rows are turned."""
_WORTH = 10.0
"""How often the cost of turning must go into that of all pairs."""
_HELD = 0.6
"""Share of the variance that the turned coordinates hold where turning is tried."""
_CHUNK = 2048
"""Rows that are turned together."""


@dataclass(frozen=True)
class Turned:
    """Rows along orthogonal directions, and how many coordinates the products of blocks take."""

    rows: Float32[np.ndarray, "rows components"]
    tails: Float32[np.ndarray, "rows stages"]
    """Lengths of what is left of each row behind the first 0, 128, 256, ... coordinates."""
    loose: float
    """What the coordinates may be off by, as a share of a row's length."""
    first: int
    """Coordinates that products are taken of."""
    behind: Float32[np.ndarray, "rows"]
    """Lengths of what is left of each row behind these."""

    def block(self, chosen: np.ndarray) -> Float32[np.ndarray, "some some_components"]:
        """Short rows whose distances are no greater than those of the rows, but for `loose`.

        They are the first coordinates and the length of the rest: lengths differ by no more than
        what they are lengths of.
        """
        return np.concatenate([self.rows[chosen, : self.first], self.behind[chosen, None]], axis=1)


def turn_rows(
    rows: Float32[np.ndarray, "rows width"], *, scales: Float64[np.ndarray, "rows"] | None
) -> Turned | None:
    """Rows turned to principal components, where comparing them so is quicker; None where it is not.

    Whether it is follows from the spectrum, and from a trial: of how many pairs the first coordinates do not
    say that they are far. Rows so few that finding out would take a tenth of the comparing are left as they
    are: fewer than some 33,000 of 1,536 columns.

    Args:
        rows: the rows.
        scales: what each row is divided by; None for nothing.
    """
    n, width = rows.shape
    components = min(_WIDEST, width // 2 // STAGE * STAGE)
    turning = 4.0 * _SAMPLE * width + 20.0 * width**2 + 4.0 * n * components
    if components == 0 or float(n) * n < _WORTH * turning:
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
    turned, tails = _turn(rows, scales, centre, np.ascontiguousarray(directions))
    ends = {width: _behind(turned, tails, width) for width in _WIDTHS if width <= components}
    first = _best_width(turned, ends, rows, scales)
    return None if first is None else Turned(turned, tails, loose, first, ends[first])


def _prepared(
    rows: Float32[np.ndarray, "rows width"],
    scales: Float64[np.ndarray, "rows"] | None,
    some: slice | Int64[np.ndarray, "some"],
) -> Float64[np.ndarray, "some width"]:
    values = rows[some].astype(np.float64)
    return values if scales is None else values / scales[some, None]


def _turn(
    rows: Float32[np.ndarray, "rows width"],
    scales: Float64[np.ndarray, "rows"] | None,
    centre: Float64[np.ndarray, "width"],
    directions: Float64[np.ndarray, "width components"],
) -> tuple[Float32[np.ndarray, "rows components"], Float32[np.ndarray, "rows stages"]]:
    """Coordinates along the directions, summed in double precision, and lengths of what is behind them."""
    n, components = len(rows), directions.shape[1]
    turned = np.empty((n, components), dtype=np.float32)
    tails = np.empty((n, components // STAGE + 1), dtype=np.float32)

    def turn(start: int, _: int) -> None:
        some = slice(start, min(start + _CHUNK, n))
        apart = _prepared(rows, scales, some) - centre
        found = apart @ directions
        turned[some] = found
        stages = np.square(found).reshape(len(found), -1, STAGE).sum(2)
        last = np.maximum(np.einsum("rw,rw->r", apart, apart) - stages.sum(1), 0)
        behind = np.concatenate([stages, last[:, None]], axis=1)[:, ::-1].cumsum(1)[:, ::-1]
        tails[some] = np.sqrt(behind)

    side_by_side([range(0, n, _CHUNK)], turn, amount=float, title="", total=n, progress=Silent())
    return turned, tails


def _behind(
    turned: Float32[np.ndarray, "rows components"], tails: Float32[np.ndarray, "rows stages"], width: int
) -> Float32[np.ndarray, "rows"]:
    """Lengths of what is left of each row behind so many coordinates."""
    stage = -(-width // STAGE)
    between = turned[:, width : stage * STAGE]
    squares = np.square(tails[:, stage], dtype=np.float64)
    squares += np.einsum("rw,rw->r", between, between, dtype=np.float64)
    return np.asarray(np.sqrt(squares), dtype=np.float32)


def _best_width(
    turned: Float32[np.ndarray, "rows components"],
    ends: Mapping[int, Float32[np.ndarray, "rows"]],
    rows: Float32[np.ndarray, "rows width"],
    scales: Float64[np.ndarray, "rows"] | None,
) -> int | None:
    """How many coordinates products had best take; None where all of the rows' own are quicker."""
    n = len(rows)
    queries = np.linspace(0, n - 1, _QUERIES).astype(np.int64)
    apart = np.empty((_QUERIES, n))
    own = _prepared(rows, scales, queries)
    origin = own.mean(0)
    for start in range(0, n, _CHUNK):
        some = slice(start, min(start + _CHUNK, n))
        apart[:, some] = _squares_apart(own - origin, _prepared(rows, scales, some) - origin)
    apart[np.arange(_QUERIES), queries] = np.inf
    farthest = min(_NEIGHBOURS, n - 1) - 1
    limits = np.partition(apart, farthest, axis=1)[:, farthest, None]
    left = {}
    for width, behind in ends.items():
        short = np.concatenate([turned[:, :width], behind[:, None]], axis=1)
        # Either of the two rows may have use for the pair.
        left[width] = 2 * float((_squares_apart(short[queries], short) < limits).mean())
    rest = left[max(left)] * _EXACT
    costs = {width: width + left[width] * _STAGES + rest for width in left}
    best = min(costs, key=costs.__getitem__)
    return best if costs[best] + _LOOK < _LESS * (rows.shape[1] + _LOOK) else None


def _squares_apart(
    left: Float[np.ndarray, "left width"], right: Float[np.ndarray, "right width"]
) -> Float[np.ndarray, "left right"]:
    squares = [np.einsum("rw,rw->r", side, side) for side in (left, right)]
    return np.asarray(squares[0][:, None] + squares[1] - 2 * (left @ right.T))
