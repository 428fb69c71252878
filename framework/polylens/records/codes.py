"""Spline codes of rows, packed to bits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True)
class CodeLayer:
    """One nonlinearity's part of a code.

    Each unit's regime is written in `bits_per_unit` bits: 1 for ReLU-like units (pre-activation above the
    kink), 2 for hard-tanh-like units (above the lower, above the upper kink), the window's size for the
    winner of a max-pooling window (one-hot).
    """

    name: str
    """Where the nonlinearity stands, such as `hidden.3.activation`."""
    units: int
    """Units (for pooling: windows) whose regime is encoded."""
    bits_per_unit: int = 1
    kind: str = "sign"
    """`sign`, or `winner` for max-pooling."""

    @property
    def bits(self) -> int:
        """Bits of this layer in the code."""
        return self.units * self.bits_per_unit

    @property
    def n_bytes(self) -> int:
        """Bytes of this layer in the packed code: each starts on a byte of its own, padded with zeros."""
        return -(-self.bits // 8)

    @property
    def flips_per_unit(self) -> int:
        """Bits that differ where one unit is in another regime (at most: 2 for a winner)."""
        return 2 if self.kind == "winner" else self.bits_per_unit


@dataclass(frozen=True)
class CodeScheme:
    """What the bits of a code mean: which units, in which order, and whether they name polytopes."""

    layers: tuple[CodeLayer, ...]
    names_polytopes: bool
    reason: str
    """Why the code names polytopes, or why it does not; one sentence for captions."""
    metric: str = "hamming"

    @property
    def n_bytes(self) -> int:
        """Bytes of one packed code."""
        return sum(layer.n_bytes for layer in self.layers)

    @property
    def bits(self) -> int:
        """Bits of all layers together, without the padding between them."""
        return sum(layer.bits for layer in self.layers)

    @property
    def units(self) -> int:
        """Units of all layers together."""
        return sum(layer.units for layer in self.layers)

    def columns(self) -> tuple[slice, ...]:
        """The byte columns of each layer in `Codes.packed`."""
        edges = np.cumsum([0, *(layer.n_bytes for layer in self.layers)])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(edges))


@dataclass(frozen=True)
class Codes:
    """The codes of rows: one packed row of bits each, most significant bit first (NumPy's `packbits`)."""

    packed: UInt8[np.ndarray, "rows bytes"]
    scheme: CodeScheme
    near_boundary_fraction: float = 0.0
    """Share of units whose pre-activation is within the numerical noise of the precision used."""
