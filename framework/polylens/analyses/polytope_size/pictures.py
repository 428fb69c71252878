"""Pictures of polytope sizes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._pictures import first_tables, number_panels
from polylens.figures import spreads
from polylens.records import Figure, Findings

_DISTANCES = {
    "boundary_distance": "nearest boundary",
    "neighbour_distance": "nearest example",
    "same_class_distance": "nearest of its class",
    "other_class_distance": "nearest of another",
}


def size_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Distances beside controls, by class, and the numbers beside controls."""
    own = outcomes[NETWORK][0].findings
    figures = [_sizes(outcomes, subject), _scores(outcomes, own, subject)]
    if "" not in set(own.tables["points"]["class"]):
        figures.append(_classes(own.tables["points"], subject))
    return tuple(figures)


def _sizes(outcomes: Outcomes, subject: str) -> Figure:
    first = first_tables(outcomes, "points")
    distances = {
        words: {
            variant: table[column].to_numpy(dtype=np.float64)
            for variant, table in first.items()
            if column in table
        }
        for column, words in _DISTANCES.items()
    }
    return Figure(
        name="sizes",
        title="How far the boundary and the neighbours are",
        caption=(
            "Exact Euclidean distances in the layer's space, from each example; of controls the "
            f"first draw. {subject}"
        ),
        png=spreads(
            distances,
            title="How far the boundary and the neighbours are",
            note="Distances from examples, in the layer's space.",
            unit="Euclidean distance (logarithmic)",
            log=True,
            variants=True,
        ),
        alt="Bands of quantiles: the nearest boundary is at a distance far below the nearest example.",
    )


def _scores(outcomes: Outcomes, own: Findings, subject: str) -> Figure:
    layers = [name for name in own.numbers if name.startswith("boundary_of.")]
    shown = {
        "neighbour / boundary": "neighbour_over_boundary",
        "in one polytope": "same_polytope",
        "distinct polytopes": "distinct_polytopes",
        **({f"of {name.partition('.')[2]}": name for name in layers[:9]} if len(layers) > 1 else {}),
    }
    return number_panels(
        outcomes,
        shown,
        title="Polytopes and neighbours beside controls",
        caption=(
            "How many times as far as the nearest boundary the nearest example is; how many share their "
            "polytope with it (chance: with a random other example); and how often the nearest boundary "
            f"is of each layer (chance: its share of all units). {subject}"
        ),
    )


def _classes(points: pd.DataFrame, subject: str) -> Figure:
    kinds = {
        column: words
        for column, words in _DISTANCES.items()
        if column in points and column != "neighbour_distance"
    }
    by_class = {
        str(name): {words: part[column].to_numpy(dtype=np.float64) for column, words in kinds.items()}
        for name, part in points.sort_values("class").groupby("class", sort=False)
    }
    return Figure(
        name="classes",
        title="How far the boundary and the neighbours are, class by class",
        caption=f"The same for the examples of each class, the spec's own network. {subject}",
        png=spreads(
            by_class,
            title="How far the boundary and the neighbours are, class by class",
            note="The spec's own network.",
            unit="Euclidean distance (logarithmic)",
            log=True,
            variants=False,
        ),
        alt="A band of quantiles for each class and kind of distance.",
    )
