"""Pictures of distances of codes."""

from __future__ import annotations

import pandas as pd

from polylens.analyses import Outcomes
from polylens.figures import layer_distances
from polylens.records import Figure


def code_statistics_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Distances of same-class and different-class pairs, layer by layer, beside controls."""
    tables: dict[str, pd.DataFrame] = {}
    for variant, draws in outcomes.items():
        every = pd.concat([each.findings.tables["layers"] for each in draws])
        means = every.groupby("layer", sort=False)[["same", "different"]].mean().reset_index()
        tables[variant] = means.dropna()
    if not any(len(table) for table in tables.values()):
        # Without classes there are no pairs; the notes say so.
        return ()
    return (
        Figure(
            name="layer-distances",
            title="Distances of codes, layer by layer",
            caption=(
                "Share of each layer's units in another regime, mean over pairs; controls with several "
                f"draws by their mean. {subject}"
            ),
            png=layer_distances(tables),
            alt="One panel a variant, one line a layer: same-class and different-class pairs.",
        ),
    )
