"""A two-dimensional map of rows, for looking at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64, Shaped

from polylens.cores import one_thread

_PRINCIPAL = 50
"""Principal components handed to t-SNE where rows are wider."""
_STEPS = 600
_FEWEST = 12
"""Rows below which t-SNE has too few neighbours and principal components are shown instead."""


@dataclass(frozen=True)
class Map:
    """Places of rows in the plane."""

    rows: Int64[np.ndarray, "shown"]
    """Which rows are shown, ascending."""
    places: Float[np.ndarray, "shown 2"]
    method: str
    """For captions."""


def two_dimensional_map(
    points: Shaped[np.ndarray, "rows width"], *, generator: np.random.Generator, limit: int = 2000
) -> Map:
    """At most `limit` rows, drawn by `generator`, placed by t-SNE started from their principal components.

    The map keeps neighbourhoods, not distances. One thread: more would add the same numbers in another order.

    Source: van der Maaten and Hinton (2008); Kobak and Berens (2019) for the start.
    """
    count = min(len(points), limit)
    rows = np.sort(generator.choice(len(points), size=count, replace=False)).astype(np.int64)
    values = points[rows].astype(np.float64)
    with one_thread():
        principal = _principal(values, _PRINCIPAL)
        spread = np.std(principal[:, 0]) if principal.size else 0.0
        if count < _FEWEST or not spread:
            return Map(rows=rows, places=_two_columns(principal), method="principal components")
        from sklearn.manifold import TSNE

        embedding = TSNE(
            perplexity=min(30.0, (count - 1) / 3),
            init=(_two_columns(principal) / spread * 1e-4).astype(np.float32),
            learning_rate="auto",
            max_iter=_STEPS,
            random_state=0,
        )
        places = embedding.fit_transform(principal.astype(np.float32))
    return Map(rows=rows, places=np.asarray(places), method="t-SNE")


def _principal(values: Float[np.ndarray, "rows width"], count: int) -> Float[np.ndarray, "rows components"]:
    """Coordinates on the first principal components."""
    from sklearn.decomposition import PCA

    components = min(count, *values.shape)
    if not components:
        return np.zeros((len(values), 0))
    solver = "full" if min(values.shape) <= 500 else "randomized"
    fitted = PCA(n_components=components, svd_solver=solver, random_state=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Equal rows have no variance to explain: the coordinates are zero, the unused shares 0/0.
        places = fitted.fit_transform(values)
    return np.asarray(places)


def _two_columns(values: Float[np.ndarray, "rows components"]) -> Float[np.ndarray, "rows 2"]:
    missing = max(2 - values.shape[1], 0)
    return np.pad(values[:, :2], ((0, 0), (0, missing)))
