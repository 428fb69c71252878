"""The centre that every row is nearest to, found on the processor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.clustering.blocks import side_by_side
from polylens.clustering.rows_as_numbers import RowValues
from polylens.progress import Silent, Task, Unseen

if TYPE_CHECKING:
    from polylens.kernels.tiles import NearCentres

_MANY = 8
"""Where more than one in so many distances of a block must be measured, products of matrices are faster."""
_UNIT = 2.0**-53
"""Relative error of one rounding in double precision."""


@runtime_checkable
class Nearest(Protocol):
    """Finds the centre that every row is nearest to."""

    def find(
        self,
        centres: Float64[np.ndarray, "centres width"],
        moved: Float64[np.ndarray, "centres"] | None,
        *,
        task: Task,
    ) -> Int64[np.ndarray, "rows"]:
        """The nearest centre of every row.

        Args:
            centres: where they are.
            moved: how far each went since the last call; None at the first.
            task: advances by 1 in all.
        """

    def place(self, row: int, centre: int) -> None:
        """Says that a row was put to another centre, whatever the distances are."""

    def next_distances(
        self, centres: Float64[np.ndarray, "centres width"], labels: Int64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows"]:
        """The distance of every row to the nearest centre but its own; infinite where there is no other."""


class BoundedNearest:
    """Nearest centres on the processor: lower bounds rule most centres out, and what is left is measured.

    The same for any number of threads. Memory: four bytes for each row and centre, and some 30 MB a thread.
    """

    def __init__(self, rows: RowValues, *, origin: Float64[np.ndarray, "width"]) -> None:
        self._rows, self._origin = rows, origin
        self._near: NearCentres | None = None

    def find(
        self,
        centres: Float64[np.ndarray, "centres width"],
        moved: Float64[np.ndarray, "centres"] | None,
        *,
        task: Task,
    ) -> Int64[np.ndarray, "rows"]:
        """The nearest centre of every row, measured exactly; of equally near ones the first."""
        from polylens.kernels import means
        from polylens.kernels.distances import SQUARED
        from polylens.kernels.tiles import Measure, NearCentres

        n, none = len(self._rows), np.empty(0)
        if moved is None:
            low = np.empty((n, len(centres)), dtype=np.float32)
            self._near = NearCentres(np.zeros(n, dtype=np.int64), np.full(n, np.inf), low)
        assert self._near is not None
        all_near = self._near

        def follow(some: slice) -> None:
            near = NearCentres(all_near.labels[some], all_near.own[some], all_near.low[some])
            unsure = np.ones(len(near.own), dtype=np.bool_)
            if moved is None or _MANY * means.lower_bounds(near, moved, unsure) > near.low.size:
                values = self._rows.values(some)
                means.begin(*self._products(values, centres), near)
            else:
                values = self._rows.values(some, only=unsure)
            means.settle(Measure(SQUARED, values, none, centres, none), near)

        self._in_blocks(follow, len(centres), task)
        return all_near.labels.copy()

    def place(self, row: int, centre: int) -> None:
        """Forgets what is known of a row, and puts it to another centre."""
        assert self._near is not None
        self._near.labels[row], self._near.own[row] = centre, np.inf
        self._near.low[row] = 0
        self._near.low[row, centre] = np.inf

    def next_distances(
        self, centres: Float64[np.ndarray, "centres width"], labels: Int64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows"]:
        """The distance of every row to the nearest centre but its own; infinite where there is no other."""
        found = np.empty(len(labels))

        def look(some: slice) -> None:
            squares, _ = self._products(self._rows.values(some), centres)
            squares[np.arange(len(squares)), labels[some]] = np.inf
            found[some] = np.sqrt(squares.min(1))

        self._in_blocks(look, len(centres), Unseen())
        return found

    def _in_blocks(self, work: Callable[[slice], None], centres: int, task: Task) -> None:
        """Does work for all rows, some at a time on each core; `task` advances by 1 in all."""

        def one(some: slice, _: int) -> None:
            work(some)
            task.advance((some.stop - some.start) / len(self._rows))

        side_by_side(
            [list(self._rows.pieces(beside=centres))],
            one,
            amount=lambda some: some.stop - some.start,
            title="",
            total=len(self._rows),
            progress=Silent(),
        )

    def _products(
        self, rows: Float32[np.ndarray, "some width"], centres: Float64[np.ndarray, "centres width"]
    ) -> tuple[Float64[np.ndarray, "some centres"], Float64[np.ndarray, "some centres"]]:
        """Squared distances from |x - y|^2 = |x|^2 + |y|^2 - 2 xy, and what rounding may change them by.

        Rows and centres are taken from a common origin, so that products are small.
        """
        left, right = rows - self._origin, centres - self._origin
        squares = [np.einsum("rw,rw->r", side, side) for side in (left, right)]
        found = squares[0][:, None] + squares[1] - 2 * (left @ right.T)
        lost = (left.shape[1] + 16) * 4 * _UNIT * (squares[0][:, None] + squares[1])
        return np.maximum(found, 0), lost
