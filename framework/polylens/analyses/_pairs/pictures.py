"""Pictures of pair densities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polylens.analyses import NETWORK, Outcome, Outcomes
from polylens.analyses._pairs import SIDES
from polylens.figures import class_matrix, densities, density_ratios, distance_overlap
from polylens.records import Figure, Number
from polylens.statistics import metric_name


def density_pictures(
    outcomes: Outcomes, *, subject: str, measured: str = "code distance"
) -> tuple[Figure, ...]:
    """Ratios by layer beside controls, how the distances overlap, and the class-by-class matrix.

    Args:
        outcomes: by variant, with findings of `ratio_findings`.
        subject: the sentence that every caption ends with.
        measured: what is divided by the distance.
    """
    own = outcomes[NETWORK][0]
    return (
        _ratios(outcomes, subject),
        _means(outcomes, subject, measured),
        _overlap(own, subject),
        _classes(own, subject),
    )


def _ratios(outcomes: Outcomes, subject: str) -> Figure:
    layers = outcomes[NETWORK][0].findings.tables["ratios"]["layer"].unique()
    names: dict[str, tuple[str, ...]] = {"all layers": ("matched_ratio",)}
    names |= {str(layer): ("matched_ratio", str(layer)) for layer in layers if layer != "all"}
    ratios = {
        variant: {layer: _numbers_of(draws, *parts) for layer, parts in names.items()}
        for variant, draws in outcomes.items()
    }
    return Figure(
        name="density-ratios",
        title="Density between classes over density within",
        caption=(
            "Different-class pairs weighted to the distances of same-class pairs; 1 is no "
            f"difference. Lines: 5 to 95 % of resamples of the examples. {subject}"
        ),
        png=density_ratios(ratios, title="Density ratio, matched by distance"),
        alt="One band a layer: the network's ratio beside those of the controls, and a line at 1.",
    )


def _means(outcomes: Outcomes, subject: str, measured: str) -> Figure:
    means = {
        variant: {side: numbers[0] for side in SIDES if (numbers := _numbers_of(draws, f"density_{side}"))}
        for variant, draws in outcomes.items()
    }
    return Figure(
        name="densities",
        title="Boundary density of pairs",
        caption=(
            f"Mean of {measured} (share of a layer's units, averaged over layers) over Euclidean "
            f"distance, not matched by distance; of controls the first draw. {subject}"
        ),
        png=densities(means, measured=measured),
        alt="Density of same-class and of different-class pairs, one line a variant.",
    )


def _overlap(own: Outcome, subject: str) -> Figure:
    pairs = own.findings.tables["pairs"]
    overlap = own.findings.numbers["overlap"].value
    return Figure(
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
    )


def _classes(own: Outcome, subject: str) -> Figure:
    classes = own.rows.classes
    matrix = np.full((len(classes), len(classes)), np.nan)
    index = {name: number for number, name in enumerate(classes)}
    for line in own.findings.tables["classes"].itertuples():
        left, right = index[str(line.class_a)], index[str(line.class_b)]
        matrix[left, right] = matrix[right, left] = line.relative_density
    return Figure(
        name="class-matrix",
        title="Density, class by class",
        caption=f"Each pair's density over that of same-class pairs of its length. {subject}",
        png=class_matrix(matrix, classes=classes, unit="density at equal distance"),
        alt="A matrix of classes: density between each two, relative to density within classes.",
    )


def _numbers_of(draws: Sequence[Outcome], *name: str) -> list[Number]:
    numbers = [each.findings.numbers.get(metric_name(*name)) for each in draws]
    return [number for number in numbers if number is not None]
