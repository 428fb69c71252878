"""What every clustering refuses, said before any work is done."""

from __future__ import annotations

import numpy as np

from polylens.clustering.points import Points
from polylens.errors import DataError


def check_points(points: Points, *, at_least: int, because: str) -> None:
    """Refuses points that no clustering can take.

    Args:
        points: to be clustered.
        at_least: fewest rows.
        because: why so many are needed, for the error.

    Raises:
        DataError: too few rows, no columns, or numbers that are not finite; says what to change.
    """
    rows, width = points.shape
    if rows < max(at_least, 2):
        raise DataError(
            f"{rows} {'row is' if rows == 1 else 'rows are'} too few to cluster: {because}",
            hint="sample more rows, or ask for smaller clusters",
        )
    if width == 0:
        raise DataError("the rows have no columns: there is nothing to cluster by")
    finite = np.isfinite(points).all(1)
    if not finite.all():
        worst = int(np.flatnonzero(~finite)[0])
        raise DataError(
            f"{int((~finite).sum())} of {rows} rows hold NaN or infinity (the first is row {worst})",
            hint="look at the network's precision and at the inputs: such rows cannot be compared",
        )
