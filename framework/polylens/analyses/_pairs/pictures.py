"""Pictures of pair densities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from polylens.analyses import NETWORK, Outcome, Outcomes
from polylens.figures import class_matrix, densities, density_ratios, distance_overlap
from polylens.records import Figure, Number
from polylens.statistics import metric_name


def density_pictures(
    outcomes: Outcomes, *, subject: str, measured: str = "code distance"
) -> tuple[Figure, ...]:
    """Ratios by layer beside controls, how the distances overlap, and the class-by-class matrix.

    Args:
        outcomes: by variant, with findings of `ratio_findings`.
        subject: of captions.
        measured: what is divided by the distance.
    """
    own = outcomes[NETWORK][0]
    layers = [str(layer) for layer in own.findings.tables["ratios"]["layer"].unique() if layer != "all"]
    names: dict[str, tuple[str, ...]] = {"all layers": ("matched_ratio",)}
    names |= {layer: ("matched_ratio", layer) for layer in layers}
    ratios = {
        variant: {layer: _numbers_of(draws, *parts) for layer, parts in names.items()}
        for variant, draws in outcomes.items()
    }
    kinds: tuple[Literal["same", "different"], ...] = ("same", "different")
    means = {
        variant: {kind: found[0] for kind in kinds if (found := _numbers_of(draws, f"density_{kind}"))}
        for variant, draws in outcomes.items()
    }
    pairs, classes = own.findings.tables["pairs"], own.findings.tables["classes"]
    matrix = np.full((len(own.rows.classes), len(own.rows.classes)), np.nan)
    places = {name: place for place, name in enumerate(own.rows.classes)}
    for line in classes.itertuples():
        left, right = places[str(line.class_a)], places[str(line.class_b)]
        matrix[left, right] = matrix[right, left] = line.relative_density
    overlap = own.findings.numbers["overlap"].value
    return (
        Figure(
            name="density-ratios",
            title="Density between classes over density within",
            caption=(
                "Different-class pairs weighted to the distances of same-class pairs; 1 is no "
                f"difference. Lines: 5 to 95 % of resamples of the examples. {subject}"
            ),
            png=density_ratios(ratios, title="Density ratio, matched by distance"),
            alt="One band a layer: the network's ratio beside those of the controls, and a line at 1.",
        ),
        Figure(
            name="densities",
            title="Boundary density of pairs",
            caption=(
                f"Mean of {measured} (share of a layer's units, averaged over layers) over Euclidean "
                f"distance, not matched by distance; of controls the first draw. {subject}"
            ),
            png=densities(means, measured=measured),
            alt="Density of same-class and of different-class pairs, one line a variant.",
        ),
        Figure(
            name="distance-overlap",
            title="Distances of the pairs",
            caption=(
                f"Overlap {overlap:.2f}: where the two do not overlap, nothing can be compared at equal "
                f"distance. {subject}"
            ),
            png=distance_overlap(
                pairs.loc[pairs["same_class"], "distance"].to_numpy(dtype=np.float64),
                pairs.loc[~pairs["same_class"], "distance"].to_numpy(dtype=np.float64),
            ),
            alt="Histograms of the Euclidean distances of same-class and of different-class pairs.",
        ),
        Figure(
            name="class-matrix",
            title="Density, class by class",
            caption=f"Each pair's density over that of same-class pairs of its length. {subject}",
            png=class_matrix(matrix, classes=own.rows.classes, unit="density at equal distance"),
            alt="A matrix of classes: density between each two, relative to density within classes.",
        ),
    )


def _numbers_of(draws: Sequence[Outcome], *name: str) -> list[Number]:
    numbers = [each.findings.numbers.get(metric_name(*name)) for each in draws]
    return [number for number in numbers if number is not None]
