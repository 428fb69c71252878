"""Codes as packed bits: packing on the device, unpacking, and distances between packed rows."""

from polylens.bits.distances import differing_bits, layer_distances
from polylens.bits.packing import pack, unpack, unpacked

__all__ = ["differing_bits", "layer_distances", "pack", "unpack", "unpacked"]
