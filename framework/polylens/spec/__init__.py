"""Specs: read, merged, checked, and taken apart into children that can be run."""

from polylens.spec.experiment import Experiment, NamedControl
from polylens.spec.identity import scientific_fields
from polylens.spec.layers import expand_layers
from polylens.spec.loading import load, loads
from polylens.spec.study import Child, Study, spec_digest

__all__ = [
    "Child",
    "Experiment",
    "NamedControl",
    "Study",
    "expand_layers",
    "load",
    "loads",
    "scientific_fields",
    "spec_digest",
]
