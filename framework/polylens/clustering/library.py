"""scikit-learn's own HDBSCAN, for comparison."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64

from polylens.clustering.points import Metric, Points
from polylens.clustering.renumbering import by_falling_size
from polylens.clustering.selecting import Selection
from polylens.errors import DataError
from polylens.progress import Progress, Silent


def library_labels(
    points: Points,
    *,
    metric: Metric,
    min_cluster_size: int,
    min_samples: int,
    selection: Selection = "eom",
    max_cluster_size: int | None = None,
    epsilon: float = 0.0,
    bits: int | None = None,
    progress: Progress | None = None,
) -> tuple[Int64[np.ndarray, "rows"], Float32[np.ndarray, "rows"]]:
    """Labels by falling size, and strengths, as scikit-learn has them; arguments as `hdbscan` has them.

    The library chooses its algorithm: a tree of balls or boxes, or for `cosine` the matrix of all distances.

    Raises:
        DataError: the installed scikit-learn fails at `epsilon`, as 1.9 does from NumPy 2.4 on.
    """
    import warnings

    from sklearn.cluster import HDBSCAN

    if points.dtype == np.uint8:
        held = 8 * points.shape[1]
        if metric == "hamming" and bits is not None:
            epsilon *= bits / held  # bits that only fill bytes up are columns like others to the library
        points = np.unpackbits(points, axis=1).view(np.bool_)
    wanted = HDBSCAN(
        metric="manhattan" if metric == "l1" else metric,
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        cluster_selection_method=selection,
        max_cluster_size=max_cluster_size,
        cluster_selection_epsilon=float(epsilon),
        copy=True,
    )
    title = (progress or Silent()).task("clustering", total=len(points), unit="rows")
    with title as task, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            fitted = wanted.fit(points)
        except TypeError as error:
            if epsilon == 0:
                raise
            raise DataError(
                "the installed scikit-learn fails at 'epsilon' with the installed NumPy",
                hint="leave epsilon at 0, or use 'ties: at_once'",
            ) from error
        task.advance(len(points))
    strength = np.clip(fitted.probabilities_, 0.0, 1.0).astype(np.float32)
    return by_falling_size(fitted.labels_), strength
