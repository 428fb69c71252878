"""How a job ended, in words: what it gave back, or why it gave nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from polylens.errors import StageError, shown_path
from polylens.imports import submitit
from polylens.jobs.clusters import GONE
from polylens.jobs.errand import Outcome
from polylens.study.walk import Elsewhere

_LAST_LINES = 12
_PATIENCE_SECONDS = 15
"""How long a network disk may take to show a file that another machine has written."""
_LAST_TIME = "timed-out too many times"
"""What submitit raises in a job that is not put back into the queue once more."""
_AGAIN = "the same command hands it over again, and it goes on from what it finished"
_WORDS = {
    "OUT_OF_MEMORY": (
        "ran out of memory",
        "give it more with --job mem=64G, or less at once with --batch-size",
    ),
    "TIMEOUT": ("reached its time too often", "give it more with --job time=HH:MM:SS"),
    "DEADLINE": ("reached the cluster's deadline", ""),
    "CANCELLED": ("was cancelled", ""),
    "NODE_FAIL": ("lost its machine", ""),
    "BOOT_FAIL": ("got a machine that did not start", ""),
    "PREEMPTED": ("was preempted and not put back into the queue", ""),
    GONE: ("is unknown to the cluster, and left no result", ""),
}


def ending_of(job: Any, *, state: str) -> Elsewhere:
    """What became of the child of a job that has ended.

    Args:
        job: submitit's.
        state: what the cluster said of it last, in SLURM's words.
    """
    file: Path = job.paths.result_pickle
    if state in ("COMPLETED", GONE):
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not file.exists() and time.monotonic() < deadline and job.paths.stderr.exists():
            time.sleep(0.5)
    if not file.exists():
        what, todo = _WORDS.get(state, (f"ended without a result ({state.lower()})", ""))
        return _died(job, what, todo)
    library = submitit()
    try:
        outcome = job.result()
    except library.core.utils.UncompletedJobError as error:
        if _LAST_TIME in str(error):
            return _died(job, *_WORDS["TIMEOUT"])
        return _died(job, "failed in a way that nobody foresaw", "")
    if not isinstance(outcome, Outcome):
        return _died(job, f"gave back a {type(outcome).__name__}, as another polylens may", "")
    if _LAST_TIME in outcome.message:  # raised wherever the signal came, and so within a stage
        return _died(job, *_WORDS["TIMEOUT"])
    return outcome.to_elsewhere()


def _died(job: Any, what: str, todo: str) -> Elsewhere:
    """A failure with the last lines of the job's log, and where the rest of it is."""
    log: Path = job.paths.stderr
    lines = log.read_text(errors="replace").strip().splitlines()[-_LAST_LINES:] if log.is_file() else []
    hints = [todo, f"its log: {shown_path(log)}" if lines else "it wrote no log", _AGAIN]
    message = "\n  ".join([f"job {job.job_id} {what}", *lines])
    return Elsewhere(error=StageError("job", message, hint="\n  ".join(filter(None, hints))))
