"""Pictures of densities of exact crossings."""

from __future__ import annotations

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._pairs import SIDES
from polylens.analyses._pairs.exactness import in_words
from polylens.analyses._pairs.pictures import density_pictures
from polylens.analyses._pictures import number_panels
from polylens.records import Figure

_MOST_LAYERS = 6


def crossing_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Ratios by layer beside controls, what the ends show of the crossings, and the class-by-class matrix."""
    numbers = outcomes[NETWORK][0].findings.numbers
    counts = {f"per length, {side}": f"crossings_per_length_{side}" for side in SIDES} | {
        name.replace("endpoint_share.", "share, "): name for name in numbers if "endpoint_share" in name
    }
    chosen = dict(list(counts.items())[: 3 + _MOST_LAYERS])
    exact = in_words(outcomes[NETWORK][0].findings)
    figures = density_pictures(outcomes, subject=f"{exact} {subject}", measured="share of units crossed")
    shown = number_panels(
        outcomes,
        chosen,
        name="endpoints",
        title="Crossings, and how much of them the two ends show",
        caption=(
            "Boundaries crossed per unit length, and the endpoint share: units whose regime differs between "
            "the two ends over boundaries crossed, over all pairs; 1 means that no unit changes and changes "
            f"back. First of all layers, then of each. {exact} {subject}"
        ),
    )
    return (*figures, shown)
