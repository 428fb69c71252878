"""Bits to bytes and back. Most significant bit first, as NumPy's `packbits`; zeros fill the last byte."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, UInt8

from polylens.records import Codes, row_pieces

if TYPE_CHECKING:
    import torch


def pack(bits: Bool[torch.Tensor, "rows n"]) -> UInt8[torch.Tensor, "rows bytes"]:
    """The bits of each row as bytes, on the device of `bits`, so that only an eighth of the memory leaves it.

    >>> import torch
    >>> pack(torch.tensor([[True, False, False, False, False, False, False, True, True]])).tolist()
    [[129, 128]]
    """
    import torch

    rows, n = bits.shape
    packed = torch.zeros(rows, -(-n // 8), dtype=torch.uint8, device=bits.device)
    as_bytes = bits.to(torch.uint8)
    for place in range(min(8, n)):
        column = as_bytes[:, place::8]
        packed[:, : column.shape[1]] |= column << (7 - place)
    return packed


def unpack(packed: UInt8[np.ndarray, "rows bytes"], n: int) -> Bool[np.ndarray, "rows n"]:
    """The first `n` bits of each row: the inverse of `pack`.

    Raises:
        ValueError: a row holds fewer than `n` bits.

    >>> unpack(np.array([[129, 128]], dtype=np.uint8), 9).astype(int).tolist()
    [[1, 0, 0, 0, 0, 0, 0, 1, 1]]
    """
    if n > 8 * packed.shape[1]:
        raise ValueError(f"{packed.shape[1]} bytes hold {8 * packed.shape[1]} bits a row, not {n}")
    return np.unpackbits(packed, axis=1, count=n).view(np.bool_)


def unpack_codes(codes: Codes) -> Bool[np.ndarray, "rows bits"]:
    """The bits of all layers side by side, without the padding between layers."""
    layers = zip(codes.scheme.layers, codes.scheme.columns(), strict=True)
    parts = [unpack(codes.packed[:, columns], layer.bits) for layer, columns in layers]
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(codes.packed), 0), dtype=np.bool_)


def pack_codes(codes: Codes) -> UInt8[np.ndarray, "rows bytes"]:
    """The bits of all layers side by side, packed without padding between layers.

    The stored array itself where no layer but the last is padded; else a copy, made some rows at a time.
    """
    if all(layer.bits % 8 == 0 for layer in codes.scheme.layers[:-1]):
        return codes.packed
    width = codes.scheme.bits
    packed = np.empty((len(codes.packed), -(-width // 8)), dtype=np.uint8)
    for some in row_pieces(len(packed), width):
        packed[some] = np.packbits(unpack_codes(replace(codes, values=codes.packed[some])), axis=1)
    return packed
