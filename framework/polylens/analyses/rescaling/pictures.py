"""Pictures of later units that flip where a layer is scaled."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float64

from polylens.analyses import NETWORK, Outcome, Outcomes
from polylens.analyses._changes.curves import curves_of, layer_shares, notes_of
from polylens.figures import FactorCurve, factor_curves, layer_factors
from polylens.records import Figure

_CASES = {
    ("live", True): "as it is",
    ("live", False): "without biases",
    ("frozen", True): "norms held",
    ("frozen", False): "norms held, no biases",
}


def rescaling_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Flips over the factor, one panel a case, beside controls, and by layer of the network itself."""
    panels: dict[str, dict[str, tuple[FactorCurve, FactorCurve]]] = {}
    shares: dict[str, Float64[np.ndarray, "layers factors"]] = {}
    own = outcomes[NETWORK][0]
    layers: list[str] = []
    factors: list[str] = []
    for (norm, biases), words in _CASES.items():
        for variant, draws in outcomes.items():
            tables = [_case(outcome, norm=norm, biases=biases) for outcome in draws]
            pair = curves_of(tables, measure="flipped_share")
            if pair is not None:
                panels.setdefault(words, {})[variant] = pair
        table = _case(own, norm=norm, biases=biases)
        if len(table):
            layers, factors, by_change = layer_shares(table)
            shares[words] = by_change["scaled"]
    has_norms = "norms held" in panels
    curves = [curve for by in panels.values() for pair in by.values() for curve in pair]
    top = max((float(np.nanmax(curve.values)) for curve in curves), default=0.0)
    return (
        Figure(
            name="rescaling",
            title="Later units that flip where a layer is scaled",
            caption=(
                "Share of later units, mean over rows and later layers; bands are 5 to 95 % of resamples of "
                f"the examples; controls with several draws by their mean. {notes_of(own)} {subject}"
            ),
            png=factor_curves(
                panels,
                heading="Share of later units that flip where a layer is scaled",
                note="Norms held: each at the scale that the unscaled row has there." if has_norms else "",
                floors=dict.fromkeys(panels, 1.08 * top),
            ),
            alt="Curves of flipped units over the factor, one panel a case.",
        ),
        Figure(
            name="rescaling-by-layer",
            title="Units that flip where a layer is scaled, layer by layer",
            caption=f"Share of each later layer's units in another regime, mean over rows. {subject}",
            png=layer_factors(
                shares,
                layers=layers,
                factors=factors,
                heading="Share of each later layer's units that flip where the layer is scaled",
            ),
            alt="Later layers by factors, one panel a case.",
        ),
    )


def _case(outcome: Outcome, *, norm: str, biases: bool) -> pd.DataFrame:
    table = outcome.findings.tables["factors"]
    return table[(table["norms"] == norm) & (table["biases"] == biases)]
