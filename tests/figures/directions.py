"""Families of directions as their figures take them."""

from __future__ import annotations

import numpy as np
from tests.figures.clusters import HOSTILE, WIDE, Case

from polylens import figures
from polylens.figures import Along, Ridge
from polylens.records import Number

_NAN = Number(float("nan"), float("nan"), float("nan"), chance=float("nan"))


def _along(n_ridges: int, *, name: str = "3: the letter a (80 %)", spread: float = 1.0) -> Along:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 40, (n_ridges, 48))
    ridges = [Ridge(name, own, shade) for shade, own in enumerate(counts)]
    return Along("pca 0", np.linspace(-spread, spread, 49), [*ridges, Ridge("all rows", counts.sum(0), -1)])


def direction_cases() -> dict[str, Case]:
    """Cases of `family_scores` and `stretches`."""
    number = Number(0.7, 0.6, 0.8, "5 to 95 % of 200 resamples", 0.1, "labels shuffled")
    many = {f"family {i}": {"network": [number], "random_init": [number] * 3} for i in range(9)}
    f = figures
    return {
        "families": (
            f.family_scores,
            ({"purity": many, "adjusted_mutual_information": many, "held_out_share": many},),
            {"title": "Do they mean one thing?", "note": "As many members each."},
        ),
        "families, long names": (
            f.family_scores,
            ({WIDE: {WIDE: {WIDE: [number]}}, HOSTILE: {HOSTILE: {"network": [_NAN, number]}}},),
            {"title": HOSTILE},
        ),
        "families, far apart": (
            f.family_scores,
            ({"overlap": {"pca": {"network": [Number(-1e9), Number(1e9, unit="clusters")]}}},),
            {"title": "Overlap"},
        ),
        "families, no scores": (f.family_scores, ({"purity": {"pca": {"network": [_NAN]}}},), {"title": "x"}),
        "stretches": (f.stretches, ([_along(6)] * 5,), {"title": "Along", "note": "Each to its height."}),
        "stretches, long names": (
            f.stretches,
            ([_along(2, name=WIDE), _along(1, name=HOSTILE, spread=1e9)],),
            {"title": WIDE},
        ),
        "stretches, too many": (f.stretches, ([_along(3, spread=1e-9)] * 20,), {"title": "Along"}),
        "stretches of nothing": (f.stretches, ([Along("a", np.array([0.0, 1.0]), [])],), {"title": "Along"}),
    }
