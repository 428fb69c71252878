"""How far the network is ahead of a control, over examples and over the control's draws."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from polylens.records import Number

_Z = 1.6448536269514722
"""The normal quantile of a two-sided 90 % interval."""
_PSEUDO = _Z * _Z / 2
"""Variance, in squared rows, that a share keeps where every row is right: that of `_Z` squared rows added to
the sample, half of them right (Agresti and Coull 1998). Without it a bootstrap of equal rows has no width."""


def lead_number(
    leads: Float64[np.ndarray, "draws"],
    again: Float64[np.ndarray, "resamples draws"],
    *,
    by_chance: Float64[np.ndarray, "shuffles draws"],
    rows: float,
) -> Number | None:
    """The mean lead over a control's draws with a 90 % interval over examples, and over draws if several.

    The two variances add: that of the mean lead over resamples of the examples, which all draws share, and
    that of the draws over their number, with Student's quantile of as many draws less one. The second holds
    some of the first, so the interval is somewhat wide.

    Args:
        leads: of each draw; NaN where it is not defined.
        again: of each draw, on each resample of the examples.
        by_chance: of each draw, on each shuffle of classes over examples.
        rows: how many examples' worth of rows each share is of, at the least.

    Returns:
        None where no draw has a lead.
    """
    from scipy.stats import t

    known = ~np.isnan(leads)
    count = int(known.sum())
    if not count:
        return None
    sampled = again[:, known]
    means = sampled[~np.isnan(sampled).any(1)].mean(1)
    variance = (float(means.var(ddof=1)) if len(means) > 1 else 0.0) + 2 * _PSEUDO / rows**2
    half = _Z * np.sqrt(variance)
    meaning = f"90 % interval over {len(means)} resamples of the examples"
    if count > 1:
        between = float(t.ppf(0.95, count - 1)) * float(leads[known].std(ddof=1)) / np.sqrt(count)
        half = np.hypot(half, between)
        meaning += f" and {count} draws of the control"
    else:
        meaning += ", of one draw: how much draws differ is not in it"
    lead = float(leads[known].mean())
    return Number(
        lead,
        float(max(lead - half, -1.0)),
        float(min(lead + half, 1.0)),
        meaning,
        chance=float(by_chance[:, known].mean()),
        chance_is=f"mean of {len(by_chance)} shuffles of classes over examples",
    )
