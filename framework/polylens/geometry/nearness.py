"""How much of a slice's boundaries lies near its decision boundary.

Lines become points, four to a radius, each of which stands for a piece of its line; a tree finds the
nearest point of the other lines. Cost: O(points log points).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from scipy.spatial import cKDTree

_STEPS = 4
"""Points to each radius along a line."""

Lines = Float64[np.ndarray, "_ 2 2"]


def share_near(lines: Lines, of: Lines, *, radius: float) -> float:
    """The share of the length of `lines` that lies within a radius of other lines, to about a hundredth.

    Args:
        lines: segments (from, to).
        of: what they are near to; nothing is near to no lines.
        radius: in the same unit.

    >>> line, across = np.array([[[0.0, 0.0], [10.0, 0.0]]]), np.array([[[5.0, -1.0], [5.0, 1.0]]])
    >>> round(share_near(line, across, radius=1.0), 2)
    0.2
    """
    points, lengths = _points(lines, radius / _STEPS)
    if not len(of) or not lengths.sum():
        return 0.0
    distance, _ = cKDTree(_points(of, radius / _STEPS)[0]).query(points, distance_upper_bound=radius)
    return float(lengths[np.isfinite(distance)].sum() / lengths.sum())


def mirror(lines: Lines, *, corner: Float64[np.ndarray, "2"], side: float) -> list[Lines]:
    """Lines in a square, turned and mirrored within it in the seven ways in which it falls on itself.

    Args:
        lines: segments (from, to).
        corner: of the square, with the least coordinates.
        side: its length.
    """
    inside = (lines - corner) / side - 0.5
    ways = []
    for swapped in (inside, inside[..., ::-1]):
        ways += [swapped * np.array(signs) for signs in ((1, 1), (-1, 1), (1, -1), (-1, -1))]
    return [(way + 0.5) * side + corner for way in ways[1:]]


def _points(
    lines: Lines, spacing: float
) -> tuple[Float64[np.ndarray, "points 2"], Float64[np.ndarray, "points"]]:
    """Points along lines, no farther apart than the spacing, and the length that each stands for."""
    lengths = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1)
    counts = np.maximum(1, np.ceil(lengths / spacing)).astype(np.int64)
    which = np.repeat(np.arange(len(lines)), counts)
    number = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    # In the middle of its piece, so that the ends of a line weigh no more than its inside.
    share = (number + 0.5) / counts[which]
    points = lines[which, 0] + share[:, None] * (lines[which, 1] - lines[which, 0])
    return points, (lengths / counts)[which]
