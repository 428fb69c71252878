"""Statistics: scores, nulls, intervals and pair statistics. Arrays in, numbers out."""

from polylens.statistics.blocks import Blocks
from polylens.statistics.chance import ClassNull, class_null
from polylens.statistics.densities import DistanceBins, common_bins, matched_ratio
from polylens.statistics.embedding import Map, two_dimensional_map
from polylens.statistics.enrichment import Enrichment, enrich
from polylens.statistics.naming import metric_name
from polylens.statistics.pairs import Pairs, class_pairs, segment_lengths
from polylens.statistics.partitions import (
    ClusterClasses,
    adjusted_mutual_information,
    adjusted_rand,
    cluster_classes,
    contingency,
    coverage,
    purity,
)
from polylens.statistics.resampling import Interval, bootstrap_interval, p_value, subsamples

__all__ = [
    "Blocks",
    "ClassNull",
    "ClusterClasses",
    "DistanceBins",
    "Enrichment",
    "Interval",
    "Map",
    "Pairs",
    "adjusted_mutual_information",
    "adjusted_rand",
    "bootstrap_interval",
    "class_null",
    "class_pairs",
    "cluster_classes",
    "common_bins",
    "contingency",
    "coverage",
    "enrich",
    "matched_ratio",
    "metric_name",
    "p_value",
    "purity",
    "segment_lengths",
    "subsamples",
    "two_dimensional_map",
]
