"""Clustering: arrays of points in, partitions out. What stands behind a door may change."""

from polylens.clustering.assigning import Assigned, assigned, hdbscan_of_sample
from polylens.clustering.centres import bisecting_kmeans, kmeans
from polylens.clustering.condensing import CondensedTree, condensed
from polylens.clustering.density import hdbscan
from polylens.clustering.exemplars import medoids
from polylens.clustering.linking import canonical
from polylens.clustering.points import Metric, Points, row_bits, row_points, scaled, unit_length
from polylens.clustering.renumbering import by_falling_size
from polylens.clustering.selecting import Cut, cut, selected
from polylens.clustering.spanning_tree import hierarchy

__all__ = [
    "Assigned",
    "CondensedTree",
    "Cut",
    "Metric",
    "Points",
    "assigned",
    "bisecting_kmeans",
    "by_falling_size",
    "canonical",
    "condensed",
    "cut",
    "hdbscan",
    "hdbscan_of_sample",
    "hierarchy",
    "kmeans",
    "medoids",
    "row_bits",
    "row_points",
    "scaled",
    "selected",
    "unit_length",
]
