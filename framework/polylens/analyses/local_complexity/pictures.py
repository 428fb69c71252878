"""Pictures of local complexity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._pictures import first_tables
from polylens.figures import curves, spreads
from polylens.figures.curves import Line
from polylens.records import Figure, Findings

_MOST_LAYERS = 7


def complexity_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """Counts against the radius, all layers and each, beside controls; and class by class."""
    tables = {
        variant: [draw.findings.tables["layers"] for draw in draws] for variant, draws in outcomes.items()
    }
    return (
        _radii(tables, outcomes[NETWORK][0].findings, subject),
        _random_points(tables, subject),
        _classes(outcomes, subject),
    )


def _radii(tables: Mapping[str, Sequence[pd.DataFrame]], own: Findings, subject: str) -> Figure:
    layers = [str(layer) for layer in own.tables["layers"]["layer"].unique() if layer != "all"]
    shown = ["all", *(layers if len(layers) > 1 else [])]
    if len(shown) > _MOST_LAYERS:
        shown = [shown[index] for index in np.linspace(0, len(shown) - 1, _MOST_LAYERS).astype(int)]
    titles = {layer: "all layers" if layer == "all" else layer for layer in shown}
    exact = own.numbers["exact"].value == 1
    also = "dashed, the units that cross exactly along the directions" if exact else "nothing exact is known"
    return Figure(
        name="radii",
        title="Units with a boundary close by",
        caption=(
            "Mean number of units whose regime is not the same at all corners of a cross-polytope "
            f"around an example; {also}. {subject}"
        ),
        png=curves(
            {titles[layer]: _lines(tables, layer, "sampled", at="example") for layer in shown},
            dashed={titles[layer]: _lines(tables, layer, "met", at="example") for layer in shown},
            title="Units with a boundary close to an example",
            note=f"Full lines: by sampling the corners; {also}. A line a draw.",
            x="radius",
            y="units",
        ),
        alt="Lines rise with the radius, one panel a layer, one colour a variant.",
    )


def _random_points(tables: Mapping[str, Sequence[pd.DataFrame]], subject: str) -> Figure:
    return Figure(
        name="random-points",
        title="Around examples and around random points",
        caption=(
            "The sampled count around examples, and dashed around points drawn evenly from the box that "
            f"examples fill. {subject}"
        ),
        png=curves(
            {"all layers": _lines(tables, "all", "sampled", at="example")},
            dashed={"all layers": _lines(tables, "all", "sampled", at="random point")},
            title="Around examples and around random points",
            note="Full lines: examples. Dashed: points drawn evenly from the box they fill.",
            x="radius",
            y="units",
        ),
        alt="Lines rise with the radius; those of examples and those of random points.",
    )


def _classes(outcomes: Outcomes, subject: str) -> Figure:
    radius = float(outcomes[NETWORK][0].findings.tables["points"]["radius"].iloc[0])
    first = first_tables(outcomes, "points")
    by_class: dict[str, dict[str, np.ndarray]] = {}
    for variant, table in first.items():
        counts = table[(table["layer"] == "all") & (table["radius"] == radius)]
        examples = counts[counts["at"] == "example"]
        groups = {str(name): part for name, part in examples.groupby("class") if name}
        groups |= {"all examples": examples, "random points": counts[counts["at"] == "random point"]}
        for name, part in groups.items():
            by_class.setdefault(name, {})[variant] = part["sampled"].to_numpy(dtype=np.float64)
    return Figure(
        name="classes",
        title=f"Units with a boundary within {radius:g}",
        caption=f"Sampled counts around each example, all layers; of controls the first draw. {subject}",
        png=spreads(
            by_class,
            title=f"Units with a boundary within {radius:g}",
            note="All layers, by sampling the corners.",
            unit="units",
            log=False,
            variants=True,
        ),
        alt="A band of quantiles for each class, for all examples and for random points.",
    )


def _lines(
    tables: Mapping[str, Sequence[pd.DataFrame]], layer: str, column: str, *, at: str
) -> dict[str, list[Line]]:
    """Radius and mean count, one line a draw of each variant."""
    lines: dict[str, list[Line]] = {}
    for variant, draws in tables.items():
        lines[variant] = []
        for table in draws:
            part = table[(table["layer"] == layer) & (table["at"] == at)].sort_values("radius")
            pairs = zip(part["radius"], part[column], strict=True)
            lines[variant].append([(float(radius), float(value)) for radius, value in pairs])
    return lines
