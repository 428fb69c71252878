"""Statistics: scores, nulls, intervals and pair statistics. Arrays in, numbers out."""

from polylens.statistics.additivity import (
    Additivity,
    Analogies,
    Cells,
    additivity,
    analogies,
    cell_means,
)
from polylens.statistics.agreement import information_agreement, pair_agreement
from polylens.statistics.along import PathCrossings, PathPlaces, PathProfile
from polylens.statistics.areas import guessed_area, placements
from polylens.statistics.blocks import Blocks
from polylens.statistics.bootstrap import bootstrap_number
from polylens.statistics.chance import ClassNull, class_null, row_null
from polylens.statistics.code_structure import (
    CodeFrame,
    agreement_beyond,
    code_halves,
    distance_agreement,
    neighbour_agreement,
)
from polylens.statistics.common_tokens import common_tokens
from polylens.statistics.components import (
    Components,
    Scoring,
    column_variances,
    explained_variance,
    independent_components,
    nonnegative_components,
    principal_components,
    random_directions,
    scores_in_blocks,
    standardise,
)
from polylens.statistics.conditional import ExplainedBy, explain
from polylens.statistics.correlations import partial_rank_correlation, rank_correlation
from polylens.statistics.densities import (
    LEAST_OVERLAP,
    DistanceBins,
    common_bins,
    matched_ratio,
    matching_weights,
    relative_density,
)
from polylens.statistics.differences import difference, negative
from polylens.statistics.drawn_rows import draw_rows, random_partition
from polylens.statistics.effects import angles, divergences, mean_intervals
from polylens.statistics.embedding import Map, two_dimensional_map
from polylens.statistics.enrichment import UNNAMED, Enrichment, enrich
from polylens.statistics.equal_coverage import EqualCoverage, Firmness, equal_coverage
from polylens.statistics.evidence import Evidence
from polylens.statistics.evidence_numbers import held_out_share, median_lift
from polylens.statistics.halves import split_examples
from polylens.statistics.item_means import ItemMean, least_lead
from polylens.statistics.jackknife import jackknife_limits
from polylens.statistics.kappa import cohen_kappa, kappa_number
from polylens.statistics.leads import lead_number
from polylens.statistics.matching import above_the_rest, dealt_sizes, matched_members, top_rows
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
    majorities,
    purity,
    right_fraction,
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
    LEVEL,
    Interval,
    bootstrap_interval,
    p_value,
    stability_range,
    subsamples,
)
from polylens.statistics.row_enrichment import enrich_rows
from polylens.statistics.scores import Score, partition_number, position_number
from polylens.statistics.shares import Shares, difference_limits, ratio_limits
from polylens.statistics.sparse_features import SparseFeatures, sparse_features
from polylens.statistics.stretches import cluster_stretches, clusters_at
from polylens.statistics.token_enrichment import TokenScores, enrich_tokens
from polylens.statistics.token_names import PLACES, TokenNames, TokenNaming
from polylens.statistics.unit_activity import LayerActivity, distinct_codes, layer_activities

__all__ = [
    "LEAST_OVERLAP",
    "LEVEL",
    "PLACES",
    "UNNAMED",
    "Additivity",
    "Analogies",
    "Blocks",
    "Cells",
    "ClassNull",
    "ClusterClasses",
    "CodeFrame",
    "Components",
    "DensityRatios",
    "DistanceBins",
    "Enrichment",
    "EqualCoverage",
    "Evidence",
    "ExplainedBy",
    "Firmness",
    "Interval",
    "ItemMean",
    "LayerActivity",
    "Map",
    "MeasuredPairs",
    "Neighbours",
    "Pairs",
    "PathCrossings",
    "PathPlaces",
    "PathProfile",
    "Pieces",
    "Score",
    "Scoring",
    "Shares",
    "SparseFeatures",
    "TokenNames",
    "TokenNaming",
    "TokenScores",
    "above_the_rest",
    "additivity",
    "adjusted_mutual_information",
    "adjusted_rand",
    "agreement_beyond",
    "analogies",
    "angles",
    "bootstrap_interval",
    "bootstrap_number",
    "cell_means",
    "class_null",
    "class_pairs",
    "cluster_classes",
    "cluster_stretches",
    "clusters_at",
    "code_distances",
    "code_halves",
    "cohen_kappa",
    "column_variances",
    "common_bins",
    "common_tokens",
    "contingency",
    "coverage",
    "dealt_sizes",
    "density_ratios",
    "difference",
    "difference_limits",
    "distance_agreement",
    "distinct_codes",
    "divergences",
    "draw_rows",
    "enrich",
    "enrich_rows",
    "enrich_tokens",
    "equal_coverage",
    "explain",
    "explained_variance",
    "guessed_area",
    "held_out_share",
    "independent_components",
    "information_agreement",
    "jackknife_limits",
    "kappa_number",
    "layer_activities",
    "lead_number",
    "least_lead",
    "majorities",
    "matched_members",
    "matched_ratio",
    "matching_weights",
    "mean_intervals",
    "median_lift",
    "metric_name",
    "nearest_neighbours",
    "nearest_sets",
    "negative",
    "neighbour_agreement",
    "nonnegative_components",
    "p_value",
    "pair_agreement",
    "partial_rank_correlation",
    "partition_number",
    "placements",
    "position_number",
    "principal_components",
    "purity",
    "random_directions",
    "random_partition",
    "rank_correlation",
    "ratio_limits",
    "ratio_numbers",
    "ratio_table",
    "relative_density",
    "resampled_ratios",
    "right_fraction",
    "row_null",
    "row_pairs",
    "scores_in_blocks",
    "segment_lengths",
    "shuffled_ratios",
    "sparse_features",
    "split_examples",
    "stability_range",
    "standardise",
    "subsamples",
    "top_rows",
    "two_dimensional_map",
    "visible",
]
