"""The whole of tracking against a real `mlflow server` on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from polylens.records import Figure, Number
from polylens.tracking import Input, Tracker

KEYS = {"experiment": "digits", "name": "run", "digest": "1" * 32}
PNG = b"\x89PNG\r\n\x1a\n picture"


def log(run: Any) -> None:
    run.log_spec(written="seed: 0\n", resolved="seed: 0\n")
    run.log_params(
        {"model": {"names": "\U0001f600" * 7000}, **{f"p{index}": "ü" * 5000 for index in range(200)}}
    )
    run.log_numbers({f"quality/m{index}": Number(index / 7, low=0.0, chance=0.5) for index in range(600)})
    run.log_inputs(datasets=[Input("digits", "d" * 32, {"kind": "digits"}, {"examples": 1797})])
    run.log_table("clusters", pd.DataFrame({"cluster": range(3000)}))
    run.log_figure(Figure(name="sizes", title="Sizes", caption="MLP", png=PNG))
    run.log_report("<h1>Polytopes</h1>")
    run.log_provenance({"seed": 0, "user": "anna"})
    run.finish()


@pytest.mark.slow
def test_everything_arrives_and_a_repeat_changes_nothing(
    tmp_path: Path, server: Any, said: Any, settings_for: Any, mlflow_client: Any
) -> None:
    settings = settings_for(tmp_path, tracking_uri=server.uri)
    tracker = Tracker(settings, progress=said)
    tracker.prepare("digits")
    parent = tracker.open_run(**KEYS | {"digest": "2" * 32, "name": "parent"})
    run = tracker.open_run(**KEYS, parent=parent)
    log(run)
    log(run)
    parent.log_children([run])
    parent.finish()
    assert said.notes == []
    client = mlflow_client(settings)
    logged = client.get_run(run.run_id)
    number = logged.info.experiment_id
    assert run.url == f"{server.uri}/#/experiments/{number}/runs/{run.run_id}?workflowType=machine_learning"
    assert len(logged.data.metrics) == 600
    assert len(logged.data.params) == 201
    assert len(logged.inputs.dataset_inputs) == 1
    assert logged.info.status == "FINISHED"
    assert all(
        len(client.get_metric_history(run.run_id, f"quality/m{index}")) == 1 for index in range(0, 600, 97)
    )
    # The server decides where artifacts go, and gives them back.
    assert logged.info.artifact_uri.startswith("mlflow-artifacts:")
    assert not (tmp_path / "mlartifacts").exists()
    figure = client.download_artifacts(run.run_id, "figures/sizes.png", str(tmp_path))
    assert Path(figure).read_bytes() == PNG
    names = {file.path for file in client.list_artifacts(run.run_id, "tables")}
    assert "tables/clusters.first-1000-rows.csv" in names
    again = Tracker(settings)
    again.prepare("digits")
    assert again.open_run(**KEYS, parent=parent).finished


@pytest.mark.slow
def test_a_server_killed_during_a_run_gets_the_rest_once_when_it_is_back(
    tmp_path: Path,
    server: Any,
    said: Any,
    settings_for: Any,
    mlflow_client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    settings = settings_for(tmp_path, tracking_uri=server.uri)
    keys = KEYS | {"experiment": "killed"}
    tracker = Tracker(settings, progress=said)
    tracker.prepare("killed")
    run = tracker.open_run(**keys)
    run.log_params({"seed": 0})
    run.log_numbers({"early": Number(1.0)})
    server.kill()
    run.log_numbers({"late": Number(2.0)})
    run.log_report("<h1>Polytopes</h1>")
    child = tracker.open_run(**keys | {"name": "child", "digest": "3" * 32}, parent=run)
    child.log_numbers({"inner": Number(3.0)})
    child.finish()
    run.finish()
    assert len(said.notes) == 1
    assert "takes nothing now" in said.notes[0]

    server.start()
    assert tracker.send_kept() == 2
    assert child.run_id is not None
    assert tracker.send_kept() == 0
    client = mlflow_client(settings)
    logged = client.get_run(run.run_id)
    assert logged.data.metrics == {"early": 1.0, "late": 2.0}
    assert logged.info.status == "FINISHED"
    assert [file.path for file in client.list_artifacts(run.run_id)] == ["report.html", "tables"]
    assert client.get_run(child.run_id).data.tags["mlflow.parentRunId"] == run.run_id
    assert len(client.search_runs([logged.info.experiment_id])) == 2
    assert len(client.get_metric_history(run.run_id, "late")) == 1
