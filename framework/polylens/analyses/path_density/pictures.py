"""Pictures of densities along paths."""

from __future__ import annotations

import pandas as pd

from polylens.analyses import NETWORK, Outcomes
from polylens.analyses._pairs.exactness import in_words
from polylens.analyses._pairs.pictures import density_pictures
from polylens.analyses._pictures import first_tables, number_panels
from polylens.figures import path_curves
from polylens.records import Figure

_MOST_LAYERS = 5


def path_pictures(outcomes: Outcomes, *, subject: str, path: str) -> tuple[Figure, ...]:
    """Density around switches and along paths, the switch ratios, and the ratios of pairs."""
    ending = f"Paths are {path}. {in_words(outcomes[NETWORK][0].findings)} {subject}"
    return (
        _around_switches(outcomes, ending),
        _along_paths(outcomes, ending),
        _switch_ratios(outcomes, ending),
        *density_pictures(outcomes, subject=ending, measured="share of units crossed"),
    )


def _around_switches(outcomes: Outcomes, ending: str) -> Figure:
    return Figure(
        name="around-switches",
        title="Density around the switch of the prediction",
        caption=(
            "Boundaries crossed per unit length in pieces of the path around switches of the prediction, "
            "over those on the whole of the same paths; of controls the first draw. "
            f"Grey: different-class paths with switches exchanged between paths. {ending}"
        ),
        png=path_curves(
            {
                name: _with_enough(table).rename(columns={"offset": "at", "relative": "value"})
                for name, table in first_tables(outcomes, "around_switches").items()
            },
            heading="Boundary density around the switch of the prediction",
            note=(
                "Grey: chance, switches exchanged between different-class paths (5 to 95 %). "
                "Dotted: each switch counted from the other end of its path. "
                "Same-class paths are drawn where at least a tenth as many of them switch."
            ),
            along="offset from the switch (share of the path)",
            height="density over the path's mean",
            level=True,
        ),
        alt="A panel a layer and variant: density against the offset from the switch.",
    )


def _along_paths(outcomes: Outcomes, ending: str) -> Figure:
    return Figure(
        name="along-paths",
        title="Density along the path",
        caption=(
            "Share of units crossed per unit length in equal pieces of the path, different-class paths "
            f"weighted to the lengths of same-class ones; of controls the first draw. {ending}"
        ),
        png=path_curves(
            {
                name: table.rename(columns={"position": "at", "density": "value"})
                for name, table in first_tables(outcomes, "along_paths").items()
            },
            heading="Boundary density along the path",
            note="Different-class paths are weighted to the lengths of same-class ones.",
            along="position on the path",
            height="share of units crossed per unit length",
        ),
        alt="A panel a layer and variant: density against the position on the path.",
    )


def _switch_ratios(outcomes: Outcomes, ending: str) -> Figure:
    numbers = outcomes[NETWORK][0].findings.numbers
    layers = [name for name in numbers if name.startswith("switch_ratio.")][:_MOST_LAYERS]
    names = {"all layers": "switch_ratio", "all layers, same class": "switch_ratio_same"}
    names |= {name.removeprefix("switch_ratio."): name for name in layers}
    return number_panels(
        outcomes,
        names,
        name="switch-ratios",
        title="Density at the switch over the path's mean",
        caption=(
            "Density in the piece of the path that is centred at a switch of the prediction, over that "
            f"on the whole of the same paths; 1 is no more boundaries than elsewhere. {ending}"
        ),
        alt="One panel a number: the network beside its controls, chance as an upright mark.",
    )


def _with_enough(table: pd.DataFrame) -> pd.DataFrame:
    """Without same-class paths where too few switch for a curve that says anything."""
    paths = table.groupby("kind")["paths"].max()
    few = 10 * paths.get("same", 0) < paths.get("different", 0)
    return table[table["kind"] != "same"] if few else table
