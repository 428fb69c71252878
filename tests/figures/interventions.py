"""Changed activations as their figures take them."""

from __future__ import annotations

import numpy as np
from tests.figures.clusters import HOSTILE, WIDE, Case

from polylens import figures
from polylens.figures import FactorCurve


def _pair(*, high: float = 0.5, n: int = 9) -> tuple[FactorCurve, FactorCurve]:
    factors = np.geomspace(0.1, 20, n)
    values = high * np.linspace(0.1, 1, n)
    return FactorCurve(factors, values / 9, values / 10, values / 8), FactorCurve(factors, values)


def intervention_cases() -> dict[str, Case]:
    """Cases of `factor_curves`, `layer_factors` and `cluster_outputs`."""
    rng = np.random.default_rng(0)
    f = figures
    alone = FactorCurve(np.array([1.0]), np.array([0.0]))
    nothing = FactorCurve(np.array([0.5, 2.0]), np.full(2, np.nan))
    eight = [f"x {factor:g}" for factor in (0.1, 0.25, 0.5, 0.9, 1.1, 2, 5, 20)]
    few = [str(digit) for digit in range(10)]
    return {
        "factors": (
            f.factor_curves,
            ({f"measure {k}": {"network": _pair(), "random_init": _pair(high=0.9)} for k in range(4)},),
            {"heading": "Scaling beside displacements", "note": "A note.", "floors": {"measure 0": 2.0}},
        ),
        "factors, long names": (
            f.factor_curves,
            ({WIDE: {WIDE: _pair(high=1e9)}, HOSTILE: {HOSTILE: _pair(high=1e-9, n=40)}},),
            {"heading": HOSTILE, "note": WIDE},
        ),
        "factors, one that changes nothing": (
            f.factor_curves,
            ({"flips": {"network": (alone, alone)}},),
            {"heading": "Scaling"},
        ),
        "factors, undefined": (
            f.factor_curves,
            ({"flips": {"network": (nothing, nothing)}},),
            {"heading": "Scaling"},
        ),
        "layers by factors": (
            f.layer_factors,
            ({"scaled": rng.random((3, 8)) * 0.1, "displaced": rng.random((3, 8))},),
            {"layers": ["hidden.1", "hidden.2", "hidden.3"], "factors": eight, "heading": "Flips by layer"},
        ),
        "layers by factors, many": (
            f.layer_factors,
            ({HOSTILE: rng.random((60, 8)), WIDE: np.zeros((60, 8))},),
            {"layers": [WIDE] * 60, "factors": [HOSTILE] * 8, "heading": WIDE, "note": HOSTILE},
        ),
        "layers by factors, none": (
            f.layer_factors,
            ({"scaled": np.zeros((0, 2))},),
            {"layers": [], "factors": ["x 1", "x 2"], "heading": "Flips by layer"},
        ),
        "outputs of clusters": (
            f.cluster_outputs,
            (rng.normal(0, 9, (14, 10)),),
            {"texts": None, "clusters": [f"{k} (1,234 rows)" for k in range(14)], "columns": few},
        ),
        "outputs of clusters, tokens": (
            f.cluster_outputs,
            (rng.random((24, 5)) * 1e9,),
            {
                "texts": [[" the", "\n", HOSTILE, WIDE, ""]] * 24,
                "clusters": [WIDE] * 24,
                "columns": [f"{rank}." for rank in range(1, 6)],
            },
        ),
        "outputs of clusters, all below": (
            f.cluster_outputs,
            (np.array([[-1.0, np.nan]]),),
            {"texts": None, "clusters": ["0"], "columns": ["a", HOSTILE]},
        ),
        "outputs of no cluster": (
            f.cluster_outputs,
            (np.zeros((0, 2)),),
            {"texts": None, "clusters": [], "columns": ["a", "b"]},
        ),
    }
