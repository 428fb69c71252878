"""Specs: read, merged, checked, and taken apart into children that can be run."""

from polylens.spec.entries import check_entry
from polylens.spec.experiment import Experiment, NamedControl
from polylens.spec.given import WITHOUT_MODULE
from polylens.spec.identity import scientific_fields, scored_labels, without_references
from polylens.spec.layers import is_glob
from polylens.spec.loading import load, loads
from polylens.spec.study import Child, Origin, Study, spec_digest

__all__ = [
    "WITHOUT_MODULE",
    "Child",
    "Experiment",
    "NamedControl",
    "Origin",
    "Study",
    "check_entry",
    "is_glob",
    "load",
    "loads",
    "scientific_fields",
    "scored_labels",
    "spec_digest",
    "without_references",
]
