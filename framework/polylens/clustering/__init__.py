"""Clustering: arrays of points in, partitions out. What stands behind a door may change."""

from polylens.clustering.centres import kmeans
from polylens.clustering.density import hdbscan
from polylens.clustering.exemplars import medoids
from polylens.clustering.points import Points, row_points, scaled, unit_length
from polylens.clustering.renumbering import by_falling_size

__all__ = [
    "Points",
    "by_falling_size",
    "hdbscan",
    "kmeans",
    "medoids",
    "row_points",
    "scaled",
    "unit_length",
]
