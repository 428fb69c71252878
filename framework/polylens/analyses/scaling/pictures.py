"""Pictures of what scaling by factors does."""

from __future__ import annotations

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._changes.curves import curves_of, layer_shares, notes_of
from polylens.figures import FactorCurve, factor_curves, layer_factors
from polylens.records import Figure

_PANELS = {
    "flipped_share": "later units that flip (share)",
    "changed_predictions": "predictions that change (share)",
    "angle": "angle of later layers (degrees)",
    "js_divergence": "divergence of predictions (bits)",
    "output_angle": "angle of the output (degrees)",
    "output_distance": "distance of the output over its length",
}


def scaling_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Curves over the factor beside controls, and flips by layer of the network itself."""
    panels: dict[str, dict[str, tuple[FactorCurve, FactorCurve]]] = {}
    for variant, draws in outcomes.items():
        for measure, words in _PANELS.items():
            pair = curves_of([outcome.findings.tables["factors"] for outcome in draws], measure=measure)
            if pair is not None:
                panels.setdefault(words, {})[variant] = pair
    own = outcomes[NETWORK][0]
    layers, factors, shares = layer_shares(own.findings.tables["factors"])
    return (
        Figure(
            name="factors",
            title="What scaling an activation changes",
            caption=(
                "Means over rows and later layers; bands are 5 to 95 % of resamples of the examples; "
                f"controls with several draws by their mean. {notes_of(own)} {subject}"
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
