"""The MLflow side of a run: one writer, explicit clients only, and nothing lost when the server is away.

The only room that imports mlflow, and it does so when a `Tracker` first talks to its server or database.
"""

from polylens.tracking.files import ORIGINS, RunFiles
from polylens.tracking.inputs import Input
from polylens.tracking.lookup import LoggedRun, Lookup
from polylens.tracking.params import flatten
from polylens.tracking.provenance import Provenance, collect_provenance, commit_of_spec
from polylens.tracking.run import ERROR_TAG, LOOKS_TAG, PROVENANCE, REPORT, TrackedRun
from polylens.tracking.tracker import Tracker
from polylens.tracking.views import (
    ANSWER_TAG,
    LAYER_TAG,
    MODEL_TAG,
    RESULTS_ADDRESS,
    SPEC_TAG,
    VERDICT_TAG,
)

__all__ = [
    "ANSWER_TAG",
    "ERROR_TAG",
    "LAYER_TAG",
    "LOOKS_TAG",
    "MODEL_TAG",
    "ORIGINS",
    "PROVENANCE",
    "REPORT",
    "RESULTS_ADDRESS",
    "SPEC_TAG",
    "VERDICT_TAG",
    "Input",
    "LoggedRun",
    "Lookup",
    "Provenance",
    "RunFiles",
    "TrackedRun",
    "Tracker",
    "collect_provenance",
    "commit_of_spec",
    "flatten",
]
