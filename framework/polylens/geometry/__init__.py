"""Polytopes of a network: which a segment or plane passes, where they end, which map each carries."""

from polylens.geometry.recording import record
from polylens.geometry.regimes import regimes
from polylens.geometry.segments import Crossings, segment_crossings
from polylens.geometry.slices import Certificate, Slice, plane_slice
from polylens.geometry.tape import Part, Tape

__all__ = [
    "Certificate",
    "Crossings",
    "Part",
    "Slice",
    "Tape",
    "plane_slice",
    "record",
    "regimes",
    "segment_crossings",
]
