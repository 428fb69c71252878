"""How a job ended, in our words: from SLURM's state, from what it gave back, and from its log."""

from __future__ import annotations

import pickle

import pytest

from polylens.errors import DataError, SpecError, StageError
from polylens.imports import submitit
from polylens.jobs import endings
from polylens.jobs.endings import ending_of
from polylens.jobs.errand import Outcome
from polylens.study.performing import StageReport


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job of another process, which wrote a log of many lines."""
    monkeypatch.setattr(endings, "_PATIENCE_SECONDS", 0.0)
    made = submitit().LocalJob(tmp_path, "7")
    made.paths.stderr.write_text("".join(f"line {number}\n" for number in range(100)))
    return made


@pytest.mark.parametrize(
    ("state", "said", "todo"),
    [
        ("OUT_OF_MEMORY", "job 7 ran out of memory", "--job mem=64G"),
        ("TIMEOUT", "job 7 reached its time too often", "--job time=HH:MM:SS"),
        ("CANCELLED", "job 7 was cancelled", "the same command"),
        ("NODE_FAIL", "job 7 lost its machine", "the same command"),
        ("FAILED", "job 7 ended without a result (failed)", "the same command"),
        ("GONE", "job 7 is unknown to the cluster", "the same command"),
    ],
)
def test_a_job_without_a_result_is_told_by_its_state_with_its_last_lines(job, state, said, todo):
    error = ending_of(job, state=state).error
    assert isinstance(error, StageError)
    assert said in error.message
    assert "line 99" in error.message
    assert "line 80" not in error.message
    assert todo in str(error)
    assert "7_0_log.err" in str(error)


def give(job, outcome, result):
    job.paths.result_pickle.write_bytes(pickle.dumps((outcome, result)))


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (
            "submitit...UncompletedJobError: Job not requeued because: timed-out too many times.",
            "its time too often",
        ),
        ("Traceback ...\nZeroDivisionError: division by zero", "failed in a way that nobody foresaw"),
    ],
)
def test_what_a_job_raised_is_told_by_what_it_was(job, trace, said):
    give(job, "error", trace)
    error = ending_of(job, state="FAILED").error
    assert error is not None
    assert said in error.message


def test_the_last_time_that_a_job_reached_its_time_is_no_mistake_of_a_stage(job):
    raised = "UncompletedJobError: Job not requeued because: timed-out too many times."
    give(job, "success", Outcome.of_error(StageError("harvest", raised)))
    error = ending_of(job, state="FAILED").error
    assert error is not None
    assert "reached its time too often" in error.message


def test_what_another_polylens_gave_back_is_not_taken_for_a_result(job):
    give(job, "success", {"reports": []})
    error = ending_of(job, state="COMPLETED").error
    assert error is not None
    assert "gave back a dict" in error.message


def test_a_finished_job_says_which_stages_it_did(job):
    reports = (StageReport("harvest", "ran", 3.0),)
    give(job, "success", Outcome(reports))
    assert ending_of(job, state="COMPLETED").reports == reports


@pytest.mark.parametrize(
    "error",
    [
        DataError("no such file", hint="fetch it"),
        StageError("harvest", "no rows", path="layer", hint="look"),
        SpecError([]),
    ],
)
def test_errors_that_users_can_mend_come_back_as_they_were(job, error):
    give(job, "success", Outcome.of_error(error))
    found = ending_of(job, state="COMPLETED").error
    assert found is not None
    assert (found.message, found.hint) == (error.message, error.hint)
    assert getattr(found, "path", "") == getattr(error, "path", "")
