"""What rows are compared by: activations or codes, at which scale and by which metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polylens.errors import DataError

if TYPE_CHECKING:
    from polylens.records import Rows

On = Literal["activation", "code"]
Metric = Literal["euclidean", "cosine", "l1", "hamming", "jaccard"]
Scale = Literal["none", "centre", "standardise"]

_METRICS: dict[On, tuple[Metric, ...]] = {
    "activation": ("euclidean", "cosine", "l1"),
    "code": ("hamming", "jaccard", "l1"),
}
"""Metrics that activations and codes can be compared by; the first is taken where a spec names none."""


def metric_of(on: On, metric: Metric | None) -> Metric:
    """The metric that is meant, of hard codes where codes are."""
    return _METRICS[on][0] if metric is None else metric


def metric_for(rows: Rows, *, on: On, metric: Metric | None) -> Metric:
    """The metric that is meant for these rows: graded codes are compared by L1 distance.

    Raises:
        DataError: the one that is named does not fit their codes.
    """
    if on == "activation" or rows.codes is None:
        return metric_of(on, metric)
    is_graded = rows.codes.scheme.is_graded
    problem = why_not_compared(on, metric, is_graded=is_graded)
    if problem is not None:
        raise DataError(problem)
    return metric or ("l1" if is_graded else "hamming")


def why_not_compared(on: On, metric: Metric | None, *, is_graded: bool) -> str | None:
    """Why codes cannot be compared by a metric; None where they can, or are not what is compared."""
    if on == "activation" or metric is None or (metric == "l1") == is_graded:
        return None
    if is_graded:
        return f"metric '{metric}' needs the bits of a hard code (kind: sign); graded ones are compared by l1"
    return "metric 'l1' is for graded codes (kind: gate); bits are compared by hamming or jaccard"


def check_space(on: On, metric: Metric | None, scale: Scale) -> None:
    """Refuses fields that contradict each other.

    Raises:
        ValueError: the metric or the scale does not fit what is clustered.
    """
    fitting = _METRICS[on]
    if metric is not None and metric not in fitting:
        *most, last = fitting
        raise ValueError(f"metric '{metric}' does not fit 'on: {on}'; use {', '.join(most)} or {last}")
    check_scale(on, scale)


def check_scale(on: On, scale: Scale) -> None:
    """Refuses a scale for codes.

    Raises:
        ValueError: they have none.
    """
    if on == "code" and scale != "none":
        raise ValueError("'scale' is for activations; codes have none")


def metric_between(rows: Rows, *, on: On) -> Literal["euclidean", "hamming"]:
    """What rows around centres are apart by: bits by Hamming distance, numbers by Euclidean."""
    is_bits = on == "code" and rows.codes is not None and not rows.codes.scheme.is_graded
    return "hamming" if is_bits else "euclidean"
