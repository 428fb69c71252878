"""Pairs of examples of one class and of two: how dense boundaries are between their ends."""

from typing import Literal

Route = Literal["straight", "spherical"]
"""What leads from one end of a pair to the other: a line, or a great circle."""

Side = Literal["same", "different"]
"""Whether the two ends of a pair are of the same class or of different ones."""
SIDES: tuple[Side, ...] = ("same", "different")
