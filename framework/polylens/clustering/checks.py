"""What every clustering refuses, said before any work is done."""

from __future__ import annotations

import numpy as np

from polylens.clustering.points import METRICS, Points
from polylens.errors import DataError

_CHUNK_NUMBERS = 1 << 22
"""Numbers looked at together."""


def check_points(
    points: Points,
    *,
    at_least: int,
    because: str,
    metric: str | None = None,
    bits: int | None = None,
) -> None:
    """Refuses points that no clustering can take.

    Args:
        points: to be clustered.
        at_least: fewest rows.
        because: why so many are needed, for the error.
        metric: what they are to be compared by, where there is a choice.
        bits: how many bits a packed row is said to hold.

    Raises:
        DataError: too few rows, no columns, numbers that are not finite, a metric or a number of bits that
            does not fit the points; says what to change.
    """
    kind = "activations" if points.dtype == np.float32 else "bits"
    if metric is not None and metric not in METRICS[kind]:
        raise DataError(f"metric '{metric}' does not fit {kind}", hint=f"use {' or '.join(METRICS[kind])}")
    rows, width = points.shape
    if rows < max(at_least, 2):
        raise DataError(
            f"{rows} {'row is' if rows == 1 else 'rows are'} too few to cluster: {because}",
            hint="sample more rows, or ask for smaller clusters",
        )
    if width == 0:
        raise DataError("the rows have no columns: there is nothing to cluster by")
    if bits is not None:
        _check_bits(points, bits)
    check_finite(points)


def check_finite(points: Points) -> None:
    """Refuses NaN and infinity.

    Raises:
        DataError: says how many rows hold one, and the first.
    """
    if points.dtype != np.float32:
        return
    rows, width = points.shape
    step = max(_CHUNK_NUMBERS // max(width, 1), 1)
    finite = np.concatenate(
        [np.isfinite(points[start : start + step]).all(1) for start in range(0, rows, step)]
    )
    if not finite.all():
        worst = int(np.flatnonzero(~finite)[0])
        raise DataError(
            f"{int((~finite).sum())} of {rows} rows hold NaN or infinity (the first is row {worst})",
            hint="look at the network's precision and at the inputs: such rows cannot be compared",
        )


def _check_bits(points: Points, bits: int) -> None:
    if points.dtype != np.uint8:
        raise DataError("'bits' is for packed rows (uint8); of other rows, the columns are counted")
    most = 8 * points.shape[1]
    if not 0 < bits <= most:
        raise DataError(f"packed rows of {points.shape[1]} bytes hold 1 to {most} bits, not {bits}")
