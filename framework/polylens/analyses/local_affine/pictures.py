"""Pictures of local affine maps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._pictures import first_tables, number_panels
from polylens.figures import curves, spreads
from polylens.figures.curves import Line
from polylens.records import Figure

_SHOWN = {
    "effective rank": "effective_rank",
    "largest singular value": "largest_singular_value",
    "maps, different / same": "ends_ratio",
    "steps, different / same": "steps_ratio",
    "maps by codes": "maps_by_codes",
    "beyond distance": "maps_by_codes_beyond_distance",
}
_BINS = 8


def affine_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Numbers, spectra and distances of maps beside controls."""
    return (
        _scores(outcomes, subject),
        _spectra(outcomes, subject),
        _distances(outcomes, subject),
        _by_codes(outcomes, subject),
    )


def _scores(outcomes: Outcomes, subject: str) -> Figure:
    return number_panels(
        outcomes,
        _SHOWN,
        title="Affine maps beside controls",
        caption=(
            "Ratios are matched by the distance of the points; the last two are rank correlations of the "
            "distance of two maps with that of their codes, the last beyond the points' distance. "
            f"{subject}"
        ),
    )


def _spectra(outcomes: Outcomes, subject: str) -> Figure:
    spectra = {
        variant: [
            [
                (float(rank), float(median))
                for rank, median in draw.findings.tables["spectrum"][["place", "median"]].to_numpy()
            ]
            for draw in draws
        ]
        for variant, draws in outcomes.items()
    }
    return Figure(
        name="spectra",
        title="Singular values of local maps",
        caption=f"The middle example's, by place. Exact inside each polytope. {subject}",
        png=curves(
            {"median over examples": spectra},
            title="Singular values of local maps",
            note="The map from the layer to the output around an example. A line a draw.",
            x="place, largest first",
            y="singular value",
            log_x=False,
        ),
        alt="Falling lines, one a variant.",
    )


def _distances(outcomes: Outcomes, subject: str) -> Figure:
    first = first_tables(outcomes, "pairs")
    distances = {
        f"{words}, {side}": {
            variant: pairs.loc[pairs["same_class"] == same, measure].to_numpy(dtype=np.float64)
            for variant, pairs in first.items()
        }
        for measure, words in (("steps", "neighbours"), ("ends", "ends"))
        for side, same in (("same class", True), ("different", False))
    }
    random = outcomes[NETWORK][0].findings.numbers["ends_random"].value
    return Figure(
        name="map-distances",
        title="How different maps are",
        caption=(
            "Frobenius norm of the difference over the mean norm, 0 to 2: mean over the boundaries of a "
            "segment between two examples (neighbours), and from one end to the other (ends). Random "
            f"pairs of the spec's own network: {random:.2f}. Of controls the first draw. {subject}"
        ),
        png=spreads(
            distances,
            title="How different maps are",
            note="Neighbours: across one boundary of a segment. Ends: from example to example.",
            unit="relative distance of maps (0 equal, at most 2)",
            log=False,
            variants=True,
        ),
        alt="Bands of quantiles: maps of neighbours differ little, those of ends much.",
    )


def _by_codes(outcomes: Outcomes, subject: str) -> Figure:
    lines = {
        variant: [_bin_means(draw.findings.tables["pairs"]) for draw in draws]
        for variant, draws in outcomes.items()
    }
    return Figure(
        name="maps-by-codes",
        title="Distance of maps by distance of codes",
        caption=f"Means over equal bins of the share of units in another regime, all pairs. {subject}",
        png=curves(
            {"all pairs": lines},
            title="Distance of maps by distance of codes",
            note="Means over bins. A line a draw.",
            x="share of units in another regime",
            y="relative distance of maps",
            log_x=False,
            log_y=False,
        ),
        alt="Lines rise: the more units differ, the more maps do.",
    )


def _bin_means(table: pd.DataFrame) -> Line:
    """Mean distance of maps in bins of the distance of codes."""
    units = table["units"].to_numpy(dtype=np.float64)
    if not len(units) or units.max() == units.min():
        return []
    edges = np.linspace(units.min(), units.max(), _BINS + 1)
    bin_of = np.clip(np.searchsorted(edges, units, side="right") - 1, 0, _BINS - 1)
    middles, ends = (edges[1:] + edges[:-1]) / 2, table["ends"].to_numpy(dtype=np.float64)
    return [
        (float(middles[index]), float(ends[bin_of == index].mean()))
        for index in range(_BINS)
        if (bin_of == index).sum() > 2
    ]
