"""Several processes on one fresh database: no crash, one run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.forking import REPOSITORY, Forks


@pytest.mark.slow
def test_processes_that_start_at_once_share_database_experiment_and_run(
    tmp_path: Path, ready: Forks, settings_for: Any, mlflow_client: Any
) -> None:
    (tmp_path / "mlflow.yaml").write_text("")
    done = ready.module("tests.tracking.opened_at_once", str(tmp_path), "3", folder=REPOSITORY)
    assert (done.returncode, done.stderr) == (0, "")
    (run_id, *others) = done.stdout.split()
    assert others == [run_id] * 2
    client = mlflow_client(settings_for(tmp_path))
    experiment = client.get_experiment_by_name("digits")
    assert len(client.search_runs([experiment.experiment_id])) == 1
    assert len(client.get_metric_history(run_id, "m/7")) == 1
