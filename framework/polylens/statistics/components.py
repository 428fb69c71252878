"""Directions that rows are written in: principal, non-negative and independent components."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from polylens.records import row_pieces

_BLOCK = 2048
"""Rows that are scored at a time."""
_NOTHING = 1e-6
"""Components whose standard deviation is below this share of the first one's are rounding."""

Scoring = Callable[[Float32[np.ndarray, "some width"]], Float32[np.ndarray, "some directions"]]
"""How much of each direction is in rows."""


@dataclass(frozen=True)
class Components:
    """Directions, and how rows are written in them."""

    directions: Float32[np.ndarray, "directions width"]
    """What a score of 1 along each direction adds to a row."""
    centre: Float32[np.ndarray, "width"]
    """The row whose scores are all 0."""
    score: Scoring
    """How much of each direction is in rows."""
    notes: tuple[str, ...] = ()

    def scores(self, values: Float32[np.ndarray, "rows width"]) -> Float32[np.ndarray, "rows directions"]:
        """How much of each direction is in each row, taken a block of rows at a time."""
        return scores_in_blocks(self.score, values, count=len(self.directions))

    def restore(self, scores: Float32[np.ndarray, "rows directions"]) -> Float32[np.ndarray, "rows width"]:
        """The rows that have these scores, and nothing beside the directions."""
        return np.asarray(scores @ self.directions + self.centre, dtype=np.float32)


def scores_in_blocks(
    score: Scoring, values: Float32[np.ndarray, "rows width"], *, count: int
) -> Float32[np.ndarray, "rows directions"]:
    """`count` scores of each row, taken a block of rows at a time."""
    scores = np.empty((len(values), count), dtype=np.float32)
    for start in range(0, len(values), _BLOCK):
        scores[start : start + _BLOCK] = score(values[start : start + _BLOCK])
    return scores


def linear_components(
    centre: Float32[np.ndarray, "width"],
    reading: Float32[np.ndarray, "width directions"],
    directions: Float32[np.ndarray, "directions width"],
    *,
    notes: tuple[str, ...] = (),
) -> Components:
    """Components whose scores are read off linearly: `(row - centre) @ reading`."""
    return Components(
        directions,
        centre,
        lambda values: np.asarray((values - centre) @ reading, dtype=np.float32),
        notes,
    )


def principal_components(
    values: Float32[np.ndarray, "rows width"], *, count: int, generator: np.random.Generator
) -> Components:
    """The directions of most variance, at most `count`, by falling variance; fewer where rows span fewer.

    Source: Pearson (1901); for large tables by random projections (Halko, Martinsson, Tropp 2011).

    >>> line = np.outer(np.arange(4), [3, 4]).astype(np.float32)
    >>> np.abs(principal_components(line, count=2, generator=np.random.default_rng(0)).directions).round(2)
    array([[0.6, 0.8]], dtype=float32)
    """
    centre, spread, axes = _principal(values, count=count, generator=generator)
    del spread
    return linear_components(centre, np.ascontiguousarray(axes.T), axes)


def independent_components(
    values: Float32[np.ndarray, "rows width"], *, count: int, generator: np.random.Generator
) -> Components:
    """Directions along which scores are as far from Gaussian as can be, within `count` principal components.

    Scores have variance 1. The span is that of the principal components, so that both restore rows alike.

    Source: Hyvarinen (1999), FastICA.
    """
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    centre, spread, axes = _principal(values, count=count, generator=generator)
    if not len(axes):
        return linear_components(centre, np.ascontiguousarray(axes.T), axes)
    white = ((values - centre) @ axes.T) / spread
    model = FastICA(whiten=False, max_iter=400, tol=1e-3, random_state=_seed(generator))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(white.astype(np.float64))
    turned = np.asarray(model.components_, dtype=np.float32)
    late = any(issubclass(each.category, ConvergenceWarning) for each in caught)
    return linear_components(
        centre,
        np.ascontiguousarray((axes.T / spread) @ turned.T),
        np.ascontiguousarray((np.linalg.pinv(turned).T * spread) @ axes),
        notes=("ICA did not converge in 400 rounds; its last round was taken.",) if late else (),
    )


def nonnegative_components(
    values: Float32[np.ndarray, "rows width"], *, count: int, generator: np.random.Generator
) -> Components:
    """At most `count` non-negative directions whose non-negative sums come nearest to the rows.

    Rows with negative values are split first: each column becomes two, its positive and its negative part,
    and a direction is its positive half less its negative half.

    Source: Lee and Seung (1999); coordinate descent of Cichocki and Phan (2009), started by NNDSVDa.
    """
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    width = values.shape[1]
    split = bool(values.min(initial=0.0) < 0)
    parts = _signs_apart(values) if split else values
    if not parts.any():
        nothing = np.zeros((0, width), np.float32)
        return linear_components(np.zeros(width, np.float32), np.ascontiguousarray(nothing.T), nothing)
    count = min(count, *parts.shape)
    model = NMF(count, init="nndsvda", max_iter=200, tol=1e-3, random_state=_seed(generator))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(parts)
    parts_of = np.asarray(model.components_, dtype=np.float32)

    def score(some: Float32[np.ndarray, "some width"]) -> Float32[np.ndarray, "some directions"]:
        # Of rows that were not fitted some may be negative where no fitted one is.
        ready = _signs_apart(some) if split else np.maximum(some, 0.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return np.asarray(model.transform(ready), dtype=np.float32)

    notes = []
    if split:
        notes.append("Rows have negative values: NMF has each unit's positive and negative part apart.")
    if any(issubclass(each.category, ConvergenceWarning) for each in caught):
        notes.append("NMF did not converge in 200 rounds; its last round was taken.")
    directions = parts_of[:, :width] - parts_of[:, width:] if split else parts_of
    return Components(directions, np.zeros(width, np.float32), score, tuple(notes))


def random_directions(
    values: Float32[np.ndarray, "rows width"], *, count: int, generator: np.random.Generator
) -> Components:
    """`count` directions drawn at random, all equally likely; scores are projections of centred rows."""
    drawn = generator.normal(size=(count, values.shape[1])).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return linear_components(
        values.mean(0, dtype=np.float64).astype(np.float32), np.ascontiguousarray(drawn.T), drawn
    )


def explained_variance(
    values: Float32[np.ndarray, "rows width"],
    restored: Float32[np.ndarray, "rows width"],
    *,
    centre: Float32[np.ndarray, "width"],
) -> float | None:
    """1 less the squared error over the squared distance from `centre`; None where rows do not vary.

    >>> rows = np.array([[0.0], [2.0]], dtype=np.float32)
    >>> explained_variance(rows, rows + 0.5, centre=np.ones(1, np.float32))
    0.75
    """
    total = float(((values - centre).astype(np.float64) ** 2).sum())
    return 1 - float(((values - restored).astype(np.float64) ** 2).sum()) / total if total > 0 else None


def standardise(scores: Float32[np.ndarray, "rows directions"]) -> Float64[np.ndarray, "rows directions"]:
    """Scores of each direction at mean 0 and variance 1; 0 where they do not vary.

    >>> standardise(np.array([[1.0, 7.0], [3.0, 7.0]], dtype=np.float32)).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    centred = scores.astype(np.float64) - scores.mean(0, dtype=np.float64)
    spread = centred.std(0)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0))


def column_variances(values: Float32[np.ndarray, "rows width"]) -> Float64[np.ndarray, "width"]:
    """The variance of each column, in double precision, without a copy of all rows in it.

    >>> column_variances(np.array([[1.0, 7.0], [3.0, 7.0]], dtype=np.float32)).tolist()
    [1.0, 0.0]
    """
    mean, squares = values.mean(0, dtype=np.float64), np.zeros(values.shape[1])
    for some in row_pieces(*values.shape):
        squares += ((values[some] - mean) ** 2).sum(0)
    return squares / len(values)


def _principal(
    values: Float32[np.ndarray, "rows width"], *, count: int, generator: np.random.Generator
) -> tuple[
    Float32[np.ndarray, "width"],
    Float32[np.ndarray, "directions"],
    Float32[np.ndarray, "directions width"],
]:
    """Centre, standard deviations and axes of the principal components that are not rounding."""
    from sklearn.decomposition import PCA

    count = min(count, *values.shape)
    centre = values.mean(0, dtype=np.float64).astype(np.float32)
    if count and (values.min(0) < values.max(0)).any():
        model = PCA(count, svd_solver="auto", random_state=_seed(generator)).fit(values)
        spread = np.sqrt(np.maximum(model.explained_variance_, 0)).astype(np.float32)
        kept = spread > _NOTHING * spread.max(initial=0.0)
        return centre, spread[kept], np.asarray(model.components_[kept], dtype=np.float32)
    return centre, np.zeros(0, np.float32), np.zeros((0, values.shape[1]), np.float32)


def _signs_apart(values: Float32[np.ndarray, "rows width"]) -> Float32[np.ndarray, "rows both"]:
    return np.concatenate([np.maximum(values, 0), np.maximum(-values, 0)], axis=1)


def _seed(generator: np.random.Generator) -> int:
    return int(generator.integers(2**31))
