"""Numbers and notes that every way of naming clusters gives. Not a kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Shaped

from polylens.records import ClusterLabel, Number
from polylens.statistics import Evidence, bootstrap_interval


def numbers_of(
    found: Evidence, clusters: Sequence[ClusterLabel], *, n_rows: int, level: float, chance_is: str
) -> dict[str, Number]:
    """What the labels of the whole partition are worth; nothing where there are none.

    Args:
        found: the names' evidence.
        clusters: the label of each cluster.
        n_rows: how many rows were partitioned, noise counted.
        level: chance that any cluster at all is named by chance.
        chance_is: what was shuffled, for chance levels.
    """
    if not clusters:
        return {}
    strong = np.array([each.strong for each in clusters])
    sizes = np.array([each.size for each in clusters])
    by_chance = found.named_by_chance(level)
    numbers = {
        "named_fraction": Number(
            float(strong.mean()), chance=float(by_chance.mean(1).mean()), chance_is=chance_is
        ),
        "strong_coverage": Number(
            float(sizes[strong].sum() / n_rows),
            chance=float((by_chance @ sizes).mean() / n_rows),
            chance_is=chance_is,
        ),
    }
    rows = found.held_out_rows
    if rows.sum():
        interval = bootstrap_interval(
            _pooled(share, again)
            for share, again in zip(found.resampled_share, found.resampled_rows, strict=True)
        )
        null = [_pooled(share, rows) for share in found.null_share]
        numbers["held_out_share"] = Number(
            float(_pooled(found.share, rows) or 0.0),
            interval.low,
            interval.high,
            interval.meaning,
            chance=float(np.mean([each or 0.0 for each in null])),
            chance_is=chance_is,
        )
    if np.isfinite(found.lift).any():
        interval = bootstrap_interval(_median(lift) for lift in found.resampled_lift)
        medians = [median for lift in found.null_lift if (median := _median(lift)) is not None]
        numbers["median_lift"] = Number(
            float(np.nanmedian(found.lift)),
            interval.low,
            interval.high,
            interval.meaning,
            chance=float(np.mean(medians)) if medians else None,
            chance_is=chance_is if medians else "",
        )
    return numbers


def notes_of(found: Evidence) -> tuple[str, ...]:
    """What a reader of the labels must know."""
    unscored = int((found.held_out_rows == 0).sum())
    notes = []
    if not len(found.naming_rows):
        notes.append("There are no clusters to name.")
    if unscored:
        notes.append(f"{unscored} clusters have no held-out rows and count as weak.")
    return tuple(notes)


def _pooled(share: Float64[np.ndarray, "clusters"], rows: Shaped[np.ndarray, "clusters"]) -> float | None:
    """Share of all scored rows that their cluster's name fits."""
    known = np.isfinite(share) & (rows > 0)
    return float(np.average(share[known], weights=rows[known])) if known.any() else None


def _median(lift: Float64[np.ndarray, "clusters"]) -> float | None:
    known = lift[np.isfinite(lift)]
    return float(np.median(known)) if len(known) else None
