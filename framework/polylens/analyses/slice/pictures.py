"""Pictures of slices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from polylens.analyses import NETWORK, Outcome, Outcomes
from polylens.analyses._pictures import number_panels
from polylens.figures import PlanePanel, PlanePoint, plane_slices
from polylens.records import Figure
from polylens.wording import short

_SHOWN = {
    "polytopes": "cells",
    "class regions": "regions",
    "polytopes a region": "cells_per_region",
    "near the decision": "near_decision",
    "near / if turned": "near_decision_ratio",
}


def slice_pictures(outcomes: Outcomes, *, shown: float, subject: str) -> tuple[Figure, ...]:
    """The first slice beside the same square of the controls, and the numbers beside controls."""
    own = outcomes[NETWORK][0]
    tables = own.findings.tables
    names = tables["outputs"]["name"].tolist()
    line = tables["slices"].iloc[0]
    # A control whose classes were shuffled may have drawn other examples: its picture would be another plane.
    alike = {
        variant: draws[0]
        for variant, draws in outcomes.items()
        if draws and draws[0].findings.tables["slices"].iloc[0]["examples"] == line["examples"]
    }
    kinds = [name for name in tables["examples"]["class"] if name]
    through = f"through images of {', '.join(kinds)}" if len(kinds) > 1 else "through an example"
    cells, regions = int(line["cells"]), int(line["regions"])
    counted = f"{cells:,} polytopes in {regions:,} class regions"
    if not kinds:
        through = "through three examples" if len(tables["examples"]) > 1 else "through one example"
    # In words, as a picture of a small part shows other polytopes than one of the whole plane would.
    part = "A plane" if shown >= 1 else f"{short(100 * shown)} % of the width of a plane"
    parts = [note for note in own.findings.notes if note.startswith("Of each plane")]
    side = " ".join([f"side {short(line['side'])}.", *parts])
    certificate = "holds" if line["certificate_holds"] else "does NOT hold"
    return (
        Figure(
            name="slice",
            title="Polytopes of a plane",
            caption=(
                f"Exact: every polytope that a square in the plane {through} passes ({line['examples']}); "
                f"{side} Its certificate {certificate}: areas sum to the square but for "
                f"{short(line['area_error'])}, vertices - edges + cells = {int(line['euler'])}, "
                f"{int(line['repeated_codes'])} codes appear twice, each cell's affine map gives the "
                f"network's output but for {short(line['output_error'])}. Of controls the first draw, in the "
                f"same plane. {subject}"
            ),
            png=plane_slices(
                {variant: _panel(draw) for variant, draw in alike.items()},
                _points(tables),
                names=names,
                heading=f"{part} {through}: {counted}",
            ),
            alt=f"A square cut into {cells:,} convex polygons, coloured by the predicted class.",
        ),
        number_panels(
            outcomes,
            _SHOWN,
            title="Slices beside controls",
            caption=(
                "Means over slices. Near: the share of the polytopes' boundaries that lies near the decision "
                "boundary (`near` says how near); chance: near the same decision boundary turned and "
                f"mirrored. Lines: 5 to 95 % of resamples of the slices. {subject}"
            ),
        ),
    )


def _panel(outcome: Outcome) -> PlanePanel:
    tables = outcome.findings.tables
    pieces = tables["pieces"]
    _, starts = np.unique(pieces["piece"].to_numpy(), return_index=True)
    return PlanePanel(
        corners=pieces[["x", "y"]].to_numpy(np.float64),
        starts=starts.astype(np.int64),
        output=pieces["output"].to_numpy(np.int64)[starts],
        cell=pieces["cell"].to_numpy(np.int64)[starts],
        edges=_lines(tables["edges"]),
        decision=_lines(tables["decision"]),
        square=tables["square"].to_numpy(np.float64),
    )


def _lines(table: pd.DataFrame) -> np.ndarray:
    return table.to_numpy(np.float64).reshape(-1, 2, 2)


def _points(tables: Mapping[str, pd.DataFrame]) -> list[PlanePoint]:
    points = []
    for number, example in tables["examples"].iterrows():
        dots = tables["pixels"]
        dots = dots[dots["number"] == number]
        pixels = np.empty((0, 0, 3), dtype=np.uint8)
        if len(dots):
            shape = int(dots["row"].max()) + 1, int(dots["column"].max()) + 1, 3
            pixels = dots[["red", "green", "blue"]].to_numpy(np.uint8).reshape(shape)
        place = np.array([example["x"], example["y"]], dtype=np.float64)
        points.append(PlanePoint(place, str(example["class"] or example["example"]), pixels))
    return points
