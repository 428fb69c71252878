"""Pictures of how codes agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float64

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._pictures import first_tables, number_panels
from polylens.figures import agreement_matrix
from polylens.records import Figure

_SHOWN = {
    "distances": "correlation",
    "beyond inputs": "correlation_beyond_inputs",
    "within classes": "correlation_within_classes",
    "nearest rows": "overlap",
    "distances, halves": "halves_correlation",
    "distances, with inputs": "correlation_with_inputs",
}
_MOST_NETWORKS = 4
"""Whose layers are drawn; the tables hold all."""


def agreement_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Agreement with the spec's own network, and between layers, beside controls."""
    figures = [
        number_panels(
            outcomes,
            _SHOWN,
            name="networks",
            title="Agreement with the spec's own network",
            caption=(
                "Rank correlation of the code distances of the same pairs, and share of a row's nearest rows "
                "that are the same, between a control and the spec's own network. Halves: the same between "
                f"two random halves of one network's units. Chance: permuted examples. {subject}"
            ),
            alt="One panel a measure of agreement; dots of the network and of its controls.",
        )
    ]
    tables = {variant: table for variant, table in first_tables(outcomes, "layers").items() if len(table)}
    if NETWORK in tables:
        own = tables[NETWORK]
        names = list(dict.fromkeys([*own["first"], *own["second"]]))
        layer = outcomes[NETWORK][0].rows.layer
        words = [f"{layer} (the spec's)" if name == "code" else name for name in names]
        tables = {variant: tables[variant] for variant in list(tables)[:_MOST_NETWORKS]}
        for measure, title in (("correlation", "distances of codes"), ("overlap", "nearest rows")):
            figures.append(
                Figure(
                    name=f"layers-{measure}",
                    title=f"Layers of one network: {title}",
                    caption=(
                        "Between every two layers of one network, at the same rows; of controls the first "
                        f"draw, of {_MOST_NETWORKS} networks at most. {subject}"
                    ),
                    png=agreement_matrix(
                        {
                            variant.replace("_", " "): _matrix(table, names, measure)
                            for variant, table in tables.items()
                        },
                        names=words,
                        title=f"Agreement of layers: {title}",
                        note=(
                            "Rank correlation of the distances of the same pairs of rows."
                            if measure == "correlation"
                            else "Share of a row's nearest rows that are the same."
                        ),
                    ),
                    alt="A matrix of layers for each network: how well every two of them agree.",
                )
            )
    return tuple(figures)


def _matrix(table: pd.DataFrame, names: list[str], measure: str) -> Float64[np.ndarray, "layers layers"]:
    matrix = np.full((len(names), len(names)), np.nan)
    index = {name: number for number, name in enumerate(names)}
    for line in table.to_dict("records"):
        first, second = index[line["first"]], index[line["second"]]
        matrix[first, second] = matrix[second, first] = line[measure]
    return matrix
