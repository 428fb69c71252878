"""The MLflow side of a run: one writer, explicit clients only, and nothing lost when the server is away.

The only room that imports mlflow, and it does so when a `Tracker` first talks to its server or database.
"""

from polylens.tracking.inputs import Input
from polylens.tracking.provenance import Provenance, collect_provenance
from polylens.tracking.run import ERROR_TAG, LOOKS_TAG, PAGE_OF_RUNS, PROVENANCE, REPORT, TrackedRun
from polylens.tracking.tracker import Tracker

__all__ = [
    "ERROR_TAG",
    "LOOKS_TAG",
    "PAGE_OF_RUNS",
    "PROVENANCE",
    "REPORT",
    "Input",
    "Provenance",
    "TrackedRun",
    "Tracker",
    "collect_provenance",
]
