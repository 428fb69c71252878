"""What a plain forward pass says of many places of a plane, in blocks.

1. Places become tensors of the layer, as many at a time as `memory` allows.
2. One forward pass gives the regimes of every unit and the outputs (`regimes`).
3. A code becomes one 64-bit number: its regimes times random factors, summed modulo 2^64. Codes
   themselves are kept only where they are asked for.

Cost: one forward pass a place; memory for one block, a number a place, and the codes that are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int16, UInt64

from polylens.geometry.regimes import small_regimes
from polylens.geometry.tape import Part
from polylens.kernels import patches

_BYTES = 24
"""What a unit takes while its regime is read: its value, what it is computed from, and its regime."""


@dataclass(frozen=True, eq=False)
class Readings:
    """Codes and outputs at places of a plane."""

    codes: tuple[Int16[np.ndarray, "places _"], ...]
    """By nonlinearity, every unit's regime; none where they were not kept."""
    names: UInt64[np.ndarray, "places"]
    """The code of each place as one number: equal codes have equal ones, and others have others but for a
    chance of 2^-48 a pair."""
    outputs: Float64[np.ndarray, "places numbers"]


def readings(
    part: Part,
    points: Callable[[np.ndarray], torch.Tensor],
    places: Float64[np.ndarray, "places 2"],
    *,
    memory: int,
    keep_codes: bool = True,
) -> Readings:
    """Codes and outputs at places of a plane, by plain forward passes.

    Args:
        part: of a recorded network.
        points: the layer's tensors at places.
        places: where.
        memory: bytes that one pass may take, about.
        keep_codes: whether every place's code is kept besides its name.
    """
    units = [int(np.prod(part.shapes[item.name])) for item in part.nonlinearities]
    # Always the same factors: names of two calls can be compared.
    random = np.random.default_rng(0)
    factors = [random.integers(0, 2**64, size=count, dtype=np.uint64) for count in units]
    block = max(1, memory // (_BYTES * max([*units, 1])))
    names = np.zeros(len(places), dtype=np.uint64)
    whole = [np.empty((len(places) if keep_codes else 0, count), dtype=np.int16) for count in units]
    outputs = []
    for start in range(0, len(places), block):
        regimes, given = small_regimes(part, points(places[start : start + block]))
        for code, factor, kept in zip(regimes, factors, whole, strict=True):
            rows = code.cpu().numpy()
            patches.add_names(rows, factor, names[start : start + block])
            if keep_codes:
                kept[start : start + block] = rows
        outputs.append(given.cpu().numpy())
    codes = tuple(whole) if keep_codes else ()
    return Readings(codes, names, np.concatenate(outputs))
