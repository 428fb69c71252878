"""Pictures of what scaling by factors does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from polylens.analyses import NETWORK, Outcome, Outcomes
from polylens.records import Figure

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float64

    from polylens.figures import FactorCurve

_PANELS = {
    "flipped_share": "later units that flip (share)",
    "changed_predictions": "predictions that change (share)",
    "angle": "angle of later layers (degrees)",
    "js_divergence": "divergence of predictions (bits)",
    "output_angle": "angle of the output (degrees)",
    "output_distance": "distance of the output over its length",
}


def factor_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Curves over the factor beside controls, and flips by layer of the network itself."""
    from polylens.figures import factor_curves, layer_factors

    panels: dict[str, dict[str, tuple[FactorCurve, FactorCurve]]] = {}
    for variant, draws in outcomes.items():
        for measure, words in _PANELS.items():
            found = curves_of([outcome.findings.tables["factors"] for outcome in draws], measure=measure)
            if found is not None:
                panels.setdefault(words, {})[variant] = found
    own = outcomes[NETWORK][0]
    layers, factors, shares = layer_shares(own.findings.tables["factors"])
    return (
        Figure(
            name="factors",
            title="What scaling an activation changes",
            caption=(
                "Means over rows and later layers; bands are 5 to 95 % of resamples of the examples; "
                f"controls with several draws by their mean. {_notes(own)} {subject}"
            ),
            png=factor_curves(panels, heading="Scaling beside random displacements of equal length"),
            alt="Curves over the factor: flipped units, changed predictions, angles, divergences.",
        ),
        Figure(
            name="flips-by-layer",
            title="Units that flip, layer by layer",
            caption=f"Share of each later layer's units in another regime, mean over rows. {subject}",
            png=layer_factors(
                shares,
                layers=layers,
                factors=factors,
                heading="Share of each later layer's units that flip, by factor",
            ),
            alt="Later layers by factors, for scaling and for displacement.",
        ),
    )


_CASES = {
    ("live", True): "as it is",
    ("live", False): "without biases",
    ("frozen", True): "norms held",
    ("frozen", False): "norms held, no biases",
}


def rescaling_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Flips over the factor, one panel a case, beside controls, and by layer of the network itself."""
    from polylens.figures import factor_curves, layer_factors

    panels: dict[str, dict[str, tuple[FactorCurve, FactorCurve]]] = {}
    shares: dict[str, Float64[np.ndarray, "layers factors"]] = {}
    own = outcomes[NETWORK][0]
    layers: list[str] = []
    factors: list[str] = []
    for (norm, biases), words in _CASES.items():
        for variant, draws in outcomes.items():
            tables = [_case(outcome, norm=norm, biases=biases) for outcome in draws]
            found = curves_of(tables, measure="flipped_share")
            if found is not None:
                panels.setdefault(words, {})[variant] = found
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
                f"the examples; controls with several draws by their mean. {_notes(own)} {subject}"
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


def curves_of(tables: Sequence[pd.DataFrame], *, measure: str) -> tuple[FactorCurve, FactorCurve] | None:
    """The curves of scaling and of displacement, all later layers together; None where not measured."""
    import pandas as pd

    from polylens.figures import FactorCurve

    found = []
    for change in ("scaled", "displaced"):
        parts = [
            table[(table["measure"] == measure) & (table["layer"] == "") & (table["change"] == change)]
            for table in tables
        ]
        means = pd.concat(parts).groupby("factor")[["value", "low", "high"]].mean()
        if not len(means):
            return None
        several = len(tables) > 1
        found.append(
            FactorCurve(
                means.index.to_numpy(dtype=np.float64),
                means["value"].to_numpy(),
                None if several else means["low"].to_numpy(),
                None if several else means["high"].to_numpy(),
            )
        )
    return found[0], found[1]


def layer_shares(
    table: pd.DataFrame,
) -> tuple[list[str], list[str], Mapping[str, Float64[np.ndarray, "layers factors"]]]:
    """Layers, factors as words, and the share of units that flip by each change."""
    flips = table[(table["measure"] == "flipped_share") & (table["layer"] != "")]
    layers = list(dict.fromkeys(flips["layer"]))
    factors = sorted(set(flips["factor"]))
    shares = {
        change: flips[flips["change"] == change]
        .pivot_table(index="layer", columns="factor", values="value", dropna=False)
        .reindex(index=layers, columns=factors)
        .to_numpy(dtype=np.float64)
        for change in dict.fromkeys(flips["change"])
    }
    return layers, [f"x {factor:g}" for factor in factors], shares


def _notes(outcome: Outcome) -> str:
    return " ".join(outcome.findings.notes)
