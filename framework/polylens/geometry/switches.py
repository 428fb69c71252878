"""Where another output becomes the largest."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64

from polylens.geometry.flips import window_flips


def winner_changes(
    at: Float64[np.ndarray, "vertices"], values: Float64[np.ndarray, "vertices numbers"]
) -> Float64[np.ndarray, "changes"]:
    """The ascending positions where another number becomes the largest, the first of equal ones.

    Exact where the numbers are affine between the vertices.

    >>> winner_changes(np.array([0.0, 1.0]), np.array([[1.0, 0.0, -3.0], [0.0, 1.0, 3.0]])).tolist()
    [0.5, 0.6]
    """
    if values.shape[1] < 2:
        return np.zeros(0)
    # All numbers are one window: another winner of it is another largest output.
    winners = torch.from_numpy(values.argmax(axis=1))[:, None]
    if bool((winners == winners[0]).all()):
        return np.zeros(0)
    elements = torch.arange(values.shape[1])[None]
    flips = window_flips(torch.from_numpy(values), winners, elements)
    cell, weight = flips.cell.numpy(), flips.weight.numpy()
    positions: np.ndarray = at[cell] + weight * (at[cell + 1] - at[cell])
    return positions
