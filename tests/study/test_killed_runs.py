"""A run killed at any stage, then the same command: the same tables, one MLflow run, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from tests.projects import Project

pytestmark = pytest.mark.slow
_STAGES = ("training", "harvest", "analysis")


def _kill_once_at(project: Project, stage: str, spec: object) -> None:
    """Starts a run and kills it as soon as the store shows work on the stage."""
    process = subprocess.Popen(
        project.command("run", str(spec)),
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    seen = False
    while process.poll() is None and time.monotonic() < deadline and not seen:
        seen = _has_begun(project, stage)
        time.sleep(0.002)
    assert seen, f"no trace of {stage}"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


def _has_begun(project: Project, stage: str) -> bool:
    """A lock file appears when a stage begins; folders come and go while they are listed."""
    with suppress(FileNotFoundError):
        return any((project.folder / ".polylens").rglob(f"*{stage}*"))
    return False


@pytest.mark.parametrize("stage", _STAGES)
def test_a_killed_run_continues_to_the_same_tables(
    undisturbed: Project, make_project: Callable[[str], Project], stage: str
) -> None:
    from mlflow import MlflowClient

    killed = make_project("killed")
    spec = killed.spec()
    _kill_once_at(killed, stage, spec)
    killed.run(spec)

    assert killed.tables() == undisturbed.tables()
    client = MlflowClient(f"sqlite:///{killed.folder / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(experiments)
    assert [run.info.status for run in runs] == ["FINISHED"]
    histories = [client.get_metric_history(runs[0].info.run_id, key) for key in runs[0].data.metrics]
    assert {len(history) for history in histories} == {1}
