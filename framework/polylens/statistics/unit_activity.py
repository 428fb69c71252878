"""What the bits of codes do over all rows, read in bounded pieces."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from polylens.bits import unpack
from polylens.records import CodeLayer, Codes

_CHUNK_BITS = 1 << 26
"""Bits unpacked at once."""
_MOST_IN_A_BYTE = 255
"""Rows whose bits are summed in bytes, an eighth of what wider sums would move."""


@dataclass(frozen=True)
class LayerActivity:
    """How often each bit of one layer is set."""

    layer: CodeLayer
    n_rows: int
    ones: Int64[np.ndarray, "bits"]

    @property
    def active_fraction(self) -> float:
        """Share of set bits."""
        return float(self.ones.sum() / max(self.n_rows * self.layer.bits, 1))

    @property
    def always_on_fraction(self) -> float:
        """Share of bits that are set in every row."""
        return float((self.ones == self.n_rows).mean()) if self.layer.bits else 0.0

    @property
    def always_off_fraction(self) -> float:
        """Share of bits that are set in no row."""
        return float((self.ones == 0).mean()) if self.layer.bits else 0.0


def layer_activities(codes: Codes) -> tuple[LayerActivity, ...]:
    """How often each bit is set, layer by layer."""
    activities = []
    for layer, columns in zip(codes.scheme.layers, codes.scheme.columns(), strict=True):
        step = min(max(_CHUNK_BITS // max(layer.bits, 1), 1), _MOST_IN_A_BYTE)
        ones = np.zeros(layer.bits, dtype=np.int64)
        for start in range(0, len(codes.packed), step):
            piece = np.ascontiguousarray(codes.packed[start : start + step, columns])
            ones += unpack(piece, layer.bits).view(np.uint8).sum(0, dtype=np.uint8)
        activities.append(LayerActivity(layer=layer, n_rows=len(codes.packed), ones=ones))
    return tuple(activities)


def distinct_codes(codes: Codes) -> int:
    """How many different codes the rows have (by their 256-bit digests, so that memory stays small)."""
    return len({hashlib.sha256(row.tobytes()).digest() for row in codes.packed})
