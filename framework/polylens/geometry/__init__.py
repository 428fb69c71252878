"""Polytopes of a network: which a segment or plane passes, where they end, which map each carries."""

from polylens.geometry.recording import record
from polylens.geometry.segments import Crossings, segment_crossings
from polylens.geometry.tape import Part, Tape

__all__ = ["Crossings", "Part", "Tape", "record", "segment_crossings"]
