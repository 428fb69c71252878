"""Pairs of examples of one class and of two: how dense boundaries are between their ends."""

from typing import Literal

Route = Literal["straight", "spherical"]
"""What leads from one end of a pair to the other: a line, or a great circle."""
