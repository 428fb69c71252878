"""What held-out names are worth, all clusters taken together."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Shaped

from polylens.records import Number
from polylens.statistics.evidence import Evidence
from polylens.statistics.resampling import LEVEL


def held_out_share(evidence: Evidence, *, chance_is: str) -> Number | None:
    """Share of all held-out clustered rows that their cluster's name fits; None where there are none."""
    rows = evidence.held_out_rows
    if not rows.sum():
        return None
    (interval,) = evidence.fitting_together.intervals()
    null = [_pooled_share(share, rows) for share in evidence.null_share]
    return Number(
        float(_pooled_share(evidence.share, rows) or 0.0),
        interval.low,
        interval.high,
        interval.meaning,
        chance=float(np.mean([each or 0.0 for each in null])),
        chance_is=chance_is,
    )


def median_lift(evidence: Evidence, *, chance_is: str) -> Number | None:
    """Median over clusters of the name's held-out lift; None where no cluster has one.

    Its limits are the medians of the clusters' own limits: wider than need be where clusters err apart.
    """
    if not np.isfinite(evidence.lift).any():
        return None
    low, high = (_median(limit) for limit in evidence.lift_limits())
    medians = [median for lift in evidence.null_lift if (median := _median(lift)) is not None]
    return Number(
        float(np.nanmedian(evidence.lift)),
        low,
        high,
        f"medians of the clusters' own {LEVEL * 100:.0f} % limits" if low is not None else "",
        chance=float(np.mean(medians)) if medians else None,
        chance_is=chance_is if medians else "",
    )


def _pooled_share(
    share: Float64[np.ndarray, "clusters"], rows: Shaped[np.ndarray, "clusters"]
) -> float | None:
    """Share of all scored rows that their cluster's name fits."""
    known = np.isfinite(share) & (rows > 0)
    return float(np.average(share[known], weights=rows[known])) if known.any() else None


def _median(lift: Float64[np.ndarray, "clusters"]) -> float | None:
    known = lift[np.isfinite(lift)]
    return float(np.median(known)) if len(known) else None
