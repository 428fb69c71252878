"""Figures of polytopes around examples: ordinary, extreme and degenerate inputs."""

from __future__ import annotations

import numpy as np
from tests.figures.clusters import HOSTILE, WIDE, Case

from polylens import figures

_NOTHING = np.zeros(0)


def polytope_cases() -> dict[str, Case]:
    """Cases of `spreads`, `curves` and `agreement_matrix`."""
    f = figures
    rng = np.random.default_rng(0)
    values, wide = rng.gamma(2.0, 1.0, 200), np.exp(rng.normal(0, 12, 200))
    line, flat = [(0.005, 0.2), (0.1, 4.0), (2.0, 120.0)], [(1.0, 0.0), (2.0, float("nan"))]
    some = {"network": values, "random_init": values * 2, "mine": _NOTHING}
    spread = {"title": "How far", "note": "Distances.", "unit": "distance", "log": True, "variants": True}
    along = {"title": "Counts", "note": "A line a draw.", "x": "radius", "y": "units"}
    square = {"title": "Agreement", "note": "Of pairs."}
    agreement = rng.random((6, 6))
    return {
        "spreads": (f.spreads, ({"boundary": some, "neighbour": some},), spread),
        "spreads over decades, long names": (
            f.spreads,
            ({WIDE: {WIDE: wide}, HOSTILE: {WIDE: wide}},),
            spread,
        ),
        "spreads of many classes": (
            f.spreads,
            ({f"{place} {HOSTILE}": {"a": values, WIDE: values, HOSTILE: values} for place in range(300)},),
            {**spread, "log": False, "variants": False},
        ),
        "spreads of one value": (f.spreads, ({"a": {"network": np.full(3, 2.0)}},), spread),
        "spreads of nothing": (f.spreads, ({"a": {"network": -values}},), spread),
        "curves": (
            f.curves,
            ({"all layers": {"network": [line], "random_init": [line, line]}, WIDE: {"network": [line]}},),
            {**along, "dashed": {"all layers": {"network": [line]}}},
        ),
        "curves, many panels": (f.curves, ({f"{i} {HOSTILE}": {WIDE: [line]} for i in range(60)},), along),
        "curves of many places": (
            f.curves,
            ({"all": {"network": [[(float(i), 1.0 / i) for i in range(1, 60)]]}},),
            {**along, "log_x": False},
        ),
        "curves of equal values": (
            f.curves,
            ({"all": {"network": [[(0.1, 3.0), (0.2, 3.0)]]}},),
            {**along, "log_x": False, "log_y": False},
        ),
        "curves of nothing": (f.curves, ({"all": {"network": [flat]}},), along),
        "agreement": (
            f.agreement_matrix,
            ({"network": agreement, "random init": agreement, WIDE: agreement, HOSTILE: agreement},),
            {**square, "names": ["a", "b", WIDE, HOSTILE, "c", "d"]},
        ),
        "agreement of many": (
            f.agreement_matrix,
            ({"network": rng.random((90, 90))},),
            {**square, "names": [f"{i} {HOSTILE}" for i in range(90)]},
        ),
        "agreement of nothing": (
            f.agreement_matrix,
            ({"network": np.full((2, 2), np.nan)},),
            {**square, "names": ["a", "b"]},
        ),
    }
