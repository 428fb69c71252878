"""Several processes on one fresh database: no crash, one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_OPEN = """
import sys
from pathlib import Path
from polylens.records import Number
from polylens.settings import load_settings
from polylens.tracking import Tracker
tracker = Tracker(load_settings(Path(sys.argv[1]), environ={}))
tracker.prepare("digits")
run = tracker.open_run(experiment="digits", name="run", digest="1" * 32)
run.log_params({"seed": 0})
run.log_numbers({f"m/{index}": Number(0.5) for index in range(50)})
run.finish()
print(run.run_id)
"""


@pytest.mark.slow
def test_processes_that_start_at_once_share_database_experiment_and_run(
    tmp_path: Path, settings_for: Any, mlflow_client: Any
) -> None:
    (tmp_path / "mlflow.yaml").write_text("")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [error for _, error in answers] == ["", "", ""]
    (run_id,) = {answer.strip() for answer, _ in answers}
    client = mlflow_client(settings_for(tmp_path))
    experiment = client.get_experiment_by_name("digits")
    assert len(client.search_runs([experiment.experiment_id])) == 1
    assert len(client.get_metric_history(run_id, "m/7")) == 1
