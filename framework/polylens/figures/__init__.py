"""Figures: arrays in, PNG bytes out. One file a figure, one style for all; matplotlib stays in this room."""

from polylens.figures.agreement_matrix import agreement_matrix
from polylens.figures.class_matrix import class_matrix
from polylens.figures.cluster_outputs import cluster_outputs
from polylens.figures.cluster_persistence import cluster_persistence
from polylens.figures.cluster_sizes import cluster_sizes
from polylens.figures.clusters_by_class import clusters_by_class
from polylens.figures.code_image import code_image
from polylens.figures.condensed_tree import condensed_tree
from polylens.figures.contingency import contingency
from polylens.figures.curves import curves
from polylens.figures.densities import densities
from polylens.figures.density_ratios import density_ratios
from polylens.figures.distance_overlap import distance_overlap
from polylens.figures.factor_curves import FactorCurve, factor_curves
from polylens.figures.family_scores import family_scores
from polylens.figures.flows import flows
from polylens.figures.gallery import gallery
from polylens.figures.layer_distances import layer_distances
from polylens.figures.layer_factors import layer_factors
from polylens.figures.medoid_codes import medoid_codes
from polylens.figures.path_curves import path_curves
from polylens.figures.plane_slices import PlanePanel, PlanePoint, plane_slices
from polylens.figures.purity_coverage import purity_coverage
from polylens.figures.row_map import row_map
from polylens.figures.scores import scores
from polylens.figures.spreads import spreads
from polylens.figures.stretches import Along, Ridge, stretches
from polylens.figures.style import use_marks
from polylens.figures.training_curve import training_curve
from polylens.figures.within_between import within_between

__all__ = [
    "Along",
    "FactorCurve",
    "PlanePanel",
    "PlanePoint",
    "Ridge",
    "agreement_matrix",
    "class_matrix",
    "cluster_outputs",
    "cluster_persistence",
    "cluster_sizes",
    "clusters_by_class",
    "code_image",
    "condensed_tree",
    "contingency",
    "curves",
    "densities",
    "density_ratios",
    "distance_overlap",
    "factor_curves",
    "family_scores",
    "flows",
    "gallery",
    "layer_distances",
    "layer_factors",
    "medoid_codes",
    "path_curves",
    "plane_slices",
    "purity_coverage",
    "row_map",
    "scores",
    "spreads",
    "stretches",
    "training_curve",
    "use_marks",
    "within_between",
]
