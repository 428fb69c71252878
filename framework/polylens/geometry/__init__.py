"""Polytopes of a network: which a segment or plane passes, where they end, which map each carries."""

from polylens.geometry.complexity import (
    PointComplexity,
    local_complexities,
    local_complexity,
    random_frame,
)
from polylens.geometry.local_maps import LocalMaps, effective_ranks, local_maps, map_distances
from polylens.geometry.nearest_boundaries import NearestBoundaries, nearest_boundaries
from polylens.geometry.paths import Path, great_circle, path_crossings
from polylens.geometry.recording import record
from polylens.geometry.regimes import regimes
from polylens.geometry.sampling import SampledCrossings, sampled_crossings
from polylens.geometry.segments import Crossings, segment_crossings, segments_crossings
from polylens.geometry.slices import Certificate, Slice, plane_slice
from polylens.geometry.tape import Part, Tape

__all__ = [
    "Certificate",
    "Crossings",
    "LocalMaps",
    "NearestBoundaries",
    "Part",
    "Path",
    "PointComplexity",
    "SampledCrossings",
    "Slice",
    "Tape",
    "effective_ranks",
    "great_circle",
    "local_complexities",
    "local_complexity",
    "local_maps",
    "map_distances",
    "nearest_boundaries",
    "path_crossings",
    "plane_slice",
    "random_frame",
    "record",
    "regimes",
    "sampled_crossings",
    "segment_crossings",
    "segments_crossings",
]
