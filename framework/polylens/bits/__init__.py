"""Codes as packed bits: packing on the device, unpacking, and distances between packed rows."""

from polylens.bits.distances import differing_bits, differing_from, layer_distances
from polylens.bits.packing import pack, pack_codes, unpack, unpack_codes

__all__ = [
    "differing_bits",
    "differing_from",
    "layer_distances",
    "pack",
    "pack_codes",
    "unpack",
    "unpack_codes",
]
