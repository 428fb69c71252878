"""What a change does to vectors and predictions: angles, divergences, and means with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64

from polylens.statistics.blocks import Blocks
from polylens.statistics.resampling import Interval, bootstrap_interval
from polylens.statistics.shares import Shares
from polylens.streams import Streams


def angles(
    left: Float[np.ndarray, "... width"], right: Float[np.ndarray, "... width"]
) -> Float64[np.ndarray, "..."]:
    """Degrees between vectors; NaN where one of the two is zero.

    By half-angles, which are exact for small angles, where the cosine is not.

    Source: Kahan (2006), How Futile are Mindless Assessments of Roundoff, section 12.

    >>> angles(np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[0.0, 3.0], [0.0, 0.0]])).tolist()
    [90.0, nan]
    """
    one, other = left.astype(np.float64), right.astype(np.float64)
    lengths = [np.linalg.norm(vectors, axis=-1, keepdims=True) for vectors in (one, other)]
    known = ((lengths[0] > 0) & (lengths[1] > 0))[..., 0]
    one, other = (
        np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
        for vectors, length in zip((one, other), lengths, strict=True)
    )
    half = np.arctan2(np.linalg.norm(one - other, axis=-1), np.linalg.norm(one + other, axis=-1))
    return np.where(known, np.degrees(2 * half), np.nan)


def divergences(
    before: Float[np.ndarray, "... classes"], after: Float[np.ndarray, "... classes"]
) -> tuple[Float64[np.ndarray, "..."], Float64[np.ndarray, "..."]]:
    """How far the distributions of logits are apart, in bits: Kullback-Leibler and Jensen-Shannon.

    The first is of `after` from `before` (the expected surplus of bits where `after` is believed and `before`
    is true); the second is symmetric and at most 1.

    >>> kl, js = divergences(np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]]))
    >>> kl.round(4).tolist(), js.round(4).tolist()
    ([0.2075], [0.0488])
    """
    old, new = _log_probabilities(before), _log_probabilities(after)
    middle = np.logaddexp(old, new) - np.log(2)
    to_bits = 1 / np.log(2)
    kl = (np.exp(old) * (old - new)).sum(-1)
    js = (np.exp(old) * (old - middle) + np.exp(new) * (new - middle)).sum(-1) / 2
    # Rounding makes divergences of equal distributions negative by some 1e-17.
    return np.maximum(kl, 0) * to_bits, np.maximum(js, 0) * to_bits


def _log_probabilities(logits: Float[np.ndarray, "... classes"]) -> Float64[np.ndarray, "... classes"]:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def mean_intervals(
    values: Float64[np.ndarray, "rows measures"],
    *,
    blocks: Blocks,
    resamples: int,
    streams: Streams,
    weights: Float64[np.ndarray, "rows"] | None = None,
    shares: Sequence[int] = (),
) -> tuple[Float64[np.ndarray, "measures"], tuple[Interval, ...], Float64[np.ndarray, "resamples measures"]]:
    """Means over the rows where a measure is defined, with intervals over examples.

    Args:
        values: NaN where a measure is not defined; a measure that is defined nowhere has the mean NaN.
        blocks: of the rows' examples.
        resamples: of the examples, with replacement.
        streams: of the resamples; the same streams resample the same examples.
        weights: of the rows; left out, all count the same.
        shares: measures that say of each row whether something is true (1) or not (0), or on what share of
            draws: the bootstrap's intervals of these are too narrow near 0 and 1, and `Shares` gives theirs.

    Returns:
        The means, their intervals, and the means of each resample.

    >>> blocks = Blocks.of(np.arange(3))
    >>> means, intervals, _ = mean_intervals(
    ...     np.array([[1.0], [np.nan], [3.0]]), blocks=blocks, resamples=20, streams=Streams(0)
    ... )
    >>> means.tolist(), intervals[0].low >= 1.0
    ([2.0], True)
    """
    known = np.isfinite(values)
    share = (np.ones(len(values)) if weights is None else weights)[:, None]
    # Sums of whole examples, so that a resample is one product.
    sums = np.zeros((len(blocks), values.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, blocks.block, np.where(known, values, 0.0) * share)
    np.add.at(counts, blocks.block, known * share)
    draws = [blocks.multiplicities(streams.generator("resample", number)) for number in range(resamples)]
    times = np.array([np.ones(len(blocks)), *draws])
    totals = times @ counts
    means = np.divide(times @ sums, totals, out=np.full_like(totals, np.nan), where=totals > 0)
    intervals = [bootstrap_interval(column) for column in means[1:].T]
    for column in shares:
        own = known[:, column]
        of_rows = Shares.of(values[own, column], example=blocks.block[own], weights=share[own, 0])
        (intervals[column],) = of_rows.intervals()
    return means[0], tuple(intervals), means[1:]
