"""What HDBSCAN and the spanning tree that it cuts have in common. Not a kind."""

from __future__ import annotations

from typing import Literal

On = Literal["activation", "code"]
Metric = Literal["euclidean", "cosine", "l1", "hamming", "jaccard"]
Scale = Literal["none", "centre", "standardise"]

_METRICS: dict[On, tuple[Metric, ...]] = {
    "activation": ("euclidean", "cosine", "l1"),
    "code": ("hamming", "jaccard"),
}
"""Those that fit, the one that is taken where none is named first."""


def metric_of(on: On, metric: Metric | None) -> Metric:
    """The metric that is meant."""
    return _METRICS[on][0] if metric is None else metric


def check_space(on: On, metric: Metric | None, scale: Scale) -> None:
    """Refuses fields that contradict each other.

    Raises:
        ValueError: the metric or the scale does not fit what is clustered.
    """
    fitting = _METRICS[on]
    if metric is not None and metric not in fitting:
        *most, last = fitting
        raise ValueError(f"metric '{metric}' does not fit 'on: {on}'; use {', '.join(most)} or {last}")
    if on == "code" and scale != "none":
        raise ValueError("'scale' is for activations; the bits of codes have none")
