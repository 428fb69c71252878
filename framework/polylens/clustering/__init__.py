"""Clustering: arrays of points in, partitions out. What stands behind a door may change."""

from polylens.clustering.assigning import Assignment, assign_rows, hdbscan_of_sample
from polylens.clustering.centres import bisecting_kmeans, kmeans
from polylens.clustering.condensing import CondensedTree, condense_tree
from polylens.clustering.density import cut_hierarchy, hdbscan
from polylens.clustering.exemplars import medoids
from polylens.clustering.linking import canonical
from polylens.clustering.pair_counts import PairCounts, is_wide
from polylens.clustering.points import Metric, Points, row_bits, row_points, scale_points, unit_length
from polylens.clustering.renumbering import by_falling_size
from polylens.clustering.rows_as_numbers import RowValues, row_values
from polylens.clustering.selecting import Cut, cut, select_clusters
from polylens.clustering.spanning_tree import counted_hierarchy, hierarchy

__all__ = [
    "Assignment",
    "CondensedTree",
    "Cut",
    "Metric",
    "PairCounts",
    "Points",
    "RowValues",
    "assign_rows",
    "bisecting_kmeans",
    "by_falling_size",
    "canonical",
    "condense_tree",
    "counted_hierarchy",
    "cut",
    "cut_hierarchy",
    "hdbscan",
    "hdbscan_of_sample",
    "hierarchy",
    "is_wide",
    "kmeans",
    "medoids",
    "row_bits",
    "row_points",
    "row_values",
    "scale_points",
    "select_clusters",
    "unit_length",
]
