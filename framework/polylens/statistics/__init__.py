"""Statistics: scores, nulls, intervals and pair statistics. Arrays in, numbers out."""

from polylens.statistics.blocks import Blocks
from polylens.statistics.bootstrap import bootstrap_number
from polylens.statistics.chance import ClassNull, class_null, row_null
from polylens.statistics.conditional import Explained, explained
from polylens.statistics.correlations import partial_rank_correlation, rank_correlation
from polylens.statistics.densities import DistanceBins, common_bins, matched_ratio, relative_density
from polylens.statistics.effects import angles, divergences, mean_intervals
from polylens.statistics.embedding import Map, two_dimensional_map
from polylens.statistics.enrichment import Enrichment, enrich
from polylens.statistics.evidence import Evidence
from polylens.statistics.naming import metric_name
from polylens.statistics.neighbours import Neighbours, nearest_neighbours, nearest_sets
from polylens.statistics.pairs import Pairs, class_pairs, code_distances, row_pairs, segment_lengths
from polylens.statistics.partitions import (
    ClusterClasses,
    adjusted_mutual_information,
    adjusted_rand,
    cluster_classes,
    contingency,
    coverage,
    purity,
)
from polylens.statistics.pieces import Pieces, visible
from polylens.statistics.ratio_numbers import ratio_numbers, ratio_table
from polylens.statistics.ratios import (
    DensityRatios,
    MeasuredPairs,
    density_ratios,
    resampled_ratios,
    shuffled_ratios,
)
from polylens.statistics.resampling import (
    Interval,
    bootstrap_interval,
    p_value,
    subsample_interval,
    subsamples,
)
from polylens.statistics.scores import Score, partition_number, position_number
from polylens.statistics.token_enrichment import TokenEnrichment, enrich_tokens
from polylens.statistics.token_names import PLACES, TokenNames
from polylens.statistics.unit_activity import LayerActivity, distinct_codes, layer_activities

__all__ = [
    "PLACES",
    "Blocks",
    "ClassNull",
    "ClusterClasses",
    "DensityRatios",
    "DistanceBins",
    "Enrichment",
    "Evidence",
    "Explained",
    "Interval",
    "LayerActivity",
    "Map",
    "MeasuredPairs",
    "Neighbours",
    "Pairs",
    "Pieces",
    "Score",
    "TokenEnrichment",
    "TokenNames",
    "adjusted_mutual_information",
    "adjusted_rand",
    "angles",
    "bootstrap_interval",
    "bootstrap_number",
    "class_null",
    "class_pairs",
    "cluster_classes",
    "code_distances",
    "common_bins",
    "contingency",
    "coverage",
    "density_ratios",
    "distinct_codes",
    "divergences",
    "enrich",
    "enrich_tokens",
    "explained",
    "layer_activities",
    "matched_ratio",
    "mean_intervals",
    "metric_name",
    "nearest_neighbours",
    "nearest_sets",
    "p_value",
    "partial_rank_correlation",
    "partition_number",
    "position_number",
    "purity",
    "rank_correlation",
    "ratio_numbers",
    "ratio_table",
    "relative_density",
    "resampled_ratios",
    "row_null",
    "row_pairs",
    "segment_lengths",
    "shuffled_ratios",
    "subsample_interval",
    "subsamples",
    "two_dimensional_map",
    "visible",
]
