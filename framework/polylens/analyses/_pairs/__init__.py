"""Pairs of examples of one class and of two: how dense boundaries are between their ends."""

from typing import Literal

Route = Literal["straight", "spherical"]
"""What leads from one end of a pair to the other: a line, or a great circle."""

Side = Literal["same", "different"]
"""Whether the two ends of a pair are of the same class or of different ones."""
SIDES: tuple[Side, ...] = ("same", "different")

RATIO_NUMBERS = (
    "matched_ratio",
    "matched_ratio.*",
    "overlap",
    "raw_ratio",
    "raw_ratio.*",
    "density_same",
    "density_same.*",
    "density_different",
    "density_different.*",
    "numerator_same",
    "numerator_same.*",
    "numerator_different",
    "numerator_different.*",
    "numerator_ratio",
    "numerator_ratio.*",
    "denominator_same",
    "denominator_different",
    "pairs_same",
    "pairs_different",
    "zero_distance_pairs",
)
"""What all kinds that measure pairs of both sides give; `*` stands for any text, such as a layer."""
