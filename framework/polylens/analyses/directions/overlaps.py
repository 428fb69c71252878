"""How many clusters lie on the same stretch of a direction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from polylens.analyses.directions.families import RANDOM
from polylens.analyses.directions.scores import Group, Resampling
from polylens.records import NOISE, Number
from polylens.statistics import bootstrap_interval, cluster_stretches, clusters_at, metric_name


def overlap_numbers(
    groups: Sequence[Group], clusters: Int64[np.ndarray, "rows"], resampling: Resampling
) -> tuple[dict[str, Number], dict[str, Float64[np.ndarray, "directions"]]]:
    """How many clusters lie on the same stretch of a direction, and for each direction at its top rows.

    Args:
        groups: of directions, the random ones among them: they are the chance level.
        clusters: of all rows.
        resampling: of the examples, for intervals; the stretches stay as they are.
    """
    members = np.flatnonzero(clusters != NOISE)
    n_clusters = int(clusters.max(initial=NOISE)) + 1
    overlaps: dict[str, dict[str, tuple[float, Float64[np.ndarray, "resamples"]]]] = {}
    tops: dict[str, Float64[np.ndarray, "directions"]] = {}
    for group in groups:
        family = group.family
        if family is None:
            continue
        anywhere = np.zeros(len(members))
        rows, counts = [], []
        tops[group.name] = np.full(len(group.tops), np.nan)
        for rank, own in enumerate(group.tops):
            along = family.scores[:, rank].astype(np.float64)
            stretches = cluster_stretches(along, clusters, n_clusters=n_clusters)
            anywhere += clusters_at(along[members], stretches) / len(group.tops)
            high = own[clusters[own] != NOISE]
            rows.append(high)
            counts.append(clusters_at(along[high], stretches))
            if len(high):
                tops[group.name][rank] = counts[-1].mean()
        overlaps[group.name] = {
            "overlap": resampling.mean(members, anywhere),
            "top_overlap": resampling.mean(
                np.concatenate([np.zeros(0, np.int64), *rows]), np.concatenate([np.zeros(0), *counts])
            ),
        }
    numbers: dict[str, Number] = {}
    for name, by in overlaps.items():
        for what, (value, again) in by.items():
            if not np.isfinite(value):
                continue
            interval = bootstrap_interval(again)
            control = overlaps.get(RANDOM, {}).get(what, (float("nan"),))[0]
            beside = name != RANDOM and bool(np.isfinite(control))
            numbers[metric_name(what, name)] = Number(
                value,
                interval.low,
                interval.high,
                interval.meaning,
                chance=control if beside else None,
                chance_is="the same along as many random directions" if beside else "",
                unit="clusters",
            )
    return numbers, tops
