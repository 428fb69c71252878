"""The MLflow side of a run: one writer, explicit clients only, and nothing lost when the server is away.

The only room that imports mlflow, and it does so when a `Tracker` first talks to its server or database.
"""

from polylens.tracking.files import ORIGINS, RunFiles
from polylens.tracking.inputs import Input
from polylens.tracking.lookup import LoggedRun, Lookup
from polylens.tracking.params import flatten
from polylens.tracking.provenance import Provenance, collect_provenance
from polylens.tracking.run import ERROR_TAG, LOOKS_TAG, PAGE_OF_RUNS, TrackedRun
from polylens.tracking.tracker import Tracker

__all__ = [
    "ERROR_TAG",
    "LOOKS_TAG",
    "ORIGINS",
    "PAGE_OF_RUNS",
    "Input",
    "LoggedRun",
    "Lookup",
    "Provenance",
    "RunFiles",
    "TrackedRun",
    "Tracker",
    "collect_provenance",
    "flatten",
]
