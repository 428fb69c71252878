"""Several processes on one fresh database: no crash, one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow
def test_processes_that_start_at_once_share_database_experiment_and_run(
    tmp_path: Path, settings_for: Any, mlflow_client: Any
) -> None:
    (tmp_path / "mlflow.yaml").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "tests.tracking.opened_at_once", str(tmp_path), "3"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (run_id, *others) = done.stdout.split()
    assert others == [run_id] * 2
    client = mlflow_client(settings_for(tmp_path))
    experiment = client.get_experiment_by_name("digits")
    assert len(client.search_runs([experiment.experiment_id])) == 1
    assert len(client.get_metric_history(run_id, "m/7")) == 1
