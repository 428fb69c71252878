"""Runs in a real SQLite database: what is logged, once, whatever happens."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from polylens.errors import TrackingError
from polylens.records import Figure, Number
from polylens.settings import Settings
from polylens.tracking import Input, TrackedRun, Tracker

DIGEST = "0123456789abcdef0123456789abcdef"
Client = Callable[[Settings], Any]


def open_run(settings: Settings, said: Any = None, **keys: Any) -> TrackedRun:
    tracker = Tracker(settings, progress=said)
    tracker.prepare("digits")
    return tracker.open_run(**{"experiment": "digits", "name": "mlp-clusters", "digest": DIGEST} | keys)


def artifact(settings: Settings, run: TrackedRun, path: str) -> Path:
    return settings.project / "mlartifacts" / "digits" / str(run.run_id) / "artifacts" / path


def log_everything(run: TrackedRun) -> None:
    run.log_spec(written="seed: 0\n", resolved="seed: 0\nmodel: {}\n")
    run.log_params({"seed": 0, "model": {"kind": "mlp", "hidden": [64, 64]}})
    run.log_numbers({"quality/purity": Number(0.9, low=0.8, high=0.95, chance=0.2, interval="90 %")})
    run.log_curve("training/loss", {0: 2.3, 1: 0.7, 2: math.nan})
    run.log_inputs(
        datasets=[Input("digits", "d" * 32, {"kind": "digits"}, {"examples": 1797})],
        weights=[Input("mlp", "e" * 32)],
    )
    run.log_table("clusters", pd.DataFrame({"cluster": [0, 1], "label": ["three", "eight"]}))
    run.log_figure(
        Figure(name="cluster-sizes", title="Cluster sizes", caption="MLP, layer 3", png=b"\x89PNG")
    )
    run.log_report("<h1>Polytopes</h1>")
    run.log_provenance({"seed": 0, "user": "anna", "spec_commit": {"commit": "c" * 40, "is_dirty": True}})
    run.finish()


def test_a_run_holds_everything_that_was_logged(settings: Settings, mlflow_client: Client) -> None:
    run = open_run(settings, tags={"polylens.names_polytopes": "true"})
    log_everything(run)
    logged = mlflow_client(settings).get_run(run.run_id)
    assert logged.info.status == "FINISHED"
    assert logged.info.run_name == "mlp-clusters"
    assert logged.data.params == {"seed": "0", "model.kind": "mlp", "model.hidden": "[64, 64]"}
    assert logged.data.metrics == {
        "quality/purity": 0.9,
        "training/loss": 0.7,
    }
    history = mlflow_client(settings).get_metric_history(run.run_id, "training/loss")
    assert [(point.step, point.value) for point in history] == [(0, 2.3), (1, 0.7)]
    tags = logged.data.tags
    assert tags["polylens.spec_digest"] == DIGEST
    assert tags["polylens.names_polytopes"] == "true"
    assert tags["mlflow.user"] == "anna"
    assert tags["mlflow.source.git.commit"] == "c" * 40
    assert tags["polylens.spec_dirty"] == "true"
    inputs = {
        entry.dataset.name: (entry.dataset.digest, entry.tags[0].value)
        for entry in logged.inputs.dataset_inputs
    }
    assert inputs == {"digits": ("d" * 32, "data"), "mlp": ("e" * 32, "weights")}


def test_artifacts_lie_under_the_configured_root(settings: Settings) -> None:
    run = open_run(settings)
    log_everything(run)
    root = artifact(settings, run, "")
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert files == [
        "figures/captions.md",
        "figures/cluster-sizes.png",
        "provenance/provenance.json",
        "report.html",
        "spec/resolved.yaml",
        "spec/written.yaml",
        "tables/clusters.csv",
        "tables/clusters.parquet",
        "tables/numbers.csv",
        "tables/numbers.parquet",
    ]
    assert "MLP, layer 3" in (root / "figures/captions.md").read_text()
    numbers = pd.read_parquet(root / "tables/numbers.parquet")
    assert numbers.loc[0, ["name", "value", "interval"]].tolist() == ["quality/purity", 0.9, "90 %"]


def test_the_same_digest_finds_the_same_finished_run(settings: Settings, mlflow_client: Client) -> None:
    first = open_run(settings)
    assert not first.finished
    log_everything(first)
    again = open_run(settings)
    assert again.finished
    assert again.run_id == first.run_id
    assert again.metrics["quality/purity"] == 0.9
    assert open_run(settings, digest="f" * 32).run_id != first.run_id
    assert len(mlflow_client(settings).search_runs([_experiment(settings, mlflow_client)])) == 2


def test_after_a_kill_the_run_goes_on_with_one_point_a_metric(
    settings: Settings, mlflow_client: Client
) -> None:
    # A killed process leaves a run that is RUNNING with some of its metrics; it never calls `finish`.
    killed = open_run(settings)
    killed.log_params({"seed": 0})
    killed.log_numbers({"quality/purity": Number(0.9)})
    killed.log_curve("training/loss", {0: 2.3, 1: 0.7})
    again = open_run(settings)
    assert not again.finished
    log_everything(again)
    log_everything(again)
    client = mlflow_client(settings)
    (logged,) = client.search_runs([_experiment(settings, mlflow_client)])
    assert logged.info.status == "FINISHED"
    points = {name: len(client.get_metric_history(logged.info.run_id, name)) for name in logged.data.metrics}
    assert points == {"quality/purity": 1, "training/loss": 2}
    assert len(logged.inputs.dataset_inputs) == 2


def test_a_finished_run_takes_further_points_by_its_id_each_once(
    settings: Settings, mlflow_client: Client
) -> None:
    first = open_run(settings)
    log_everything(first)
    tracker = Tracker(settings)
    for step, share in ((1, 0.5), (2, 0.25), (2, 0.75)):
        again = tracker.reopen_run(
            run_id=str(first.run_id), experiment=first.identity.experiment, name=first.name, digest="d"
        )
        again.log_point({"people/one_meaning": share, "people/nothing": float("nan")}, step=step)
    assert again.is_in_mlflow
    client = mlflow_client(settings)
    history = client.get_metric_history(first.run_id, "people/one_meaning")
    assert [(point.step, point.value) for point in history] == [(1, 0.5), (2, 0.25)]
    run = client.get_run(first.run_id)
    assert "people/nothing" not in run.data.metrics
    assert run.info.status == "FINISHED"


def test_a_failed_run_is_taken_up_again_without_its_error(settings: Settings, mlflow_client: Client) -> None:
    failed = open_run(settings)
    failed.set_tags({"polylens.error": "out of memory"})
    failed.finish("FAILED")
    again = open_run(settings)
    assert again.run_id == failed.run_id
    assert not again.finished
    logged = mlflow_client(settings).get_run(again.run_id)
    assert logged.info.status == "RUNNING"
    assert "polylens.error" not in logged.data.tags


def test_a_deleted_run_is_not_found_again(settings: Settings, mlflow_client: Client) -> None:
    first = open_run(settings)
    first.finish()
    mlflow_client(settings).delete_run(first.run_id)
    again = open_run(settings)
    assert again.run_id != first.run_id
    assert not again.finished


def test_children_lie_flat_under_their_parent_and_are_found_there(
    settings: Settings, mlflow_client: Client
) -> None:
    tracker = Tracker(settings)
    tracker.prepare("digits")
    keys = {"experiment": "digits", "digest": DIGEST}
    parent = tracker.open_run(name="sweep", **keys | {"digest": "a" * 32})
    children = [
        tracker.open_run(name=f"layer {n}", parent=parent, **keys | {"digest": f"{n}" * 32}) for n in (1, 2)
    ]
    alone = tracker.open_run(name="alone", **keys | {"digest": "1" * 32})
    assert len({parent.run_id, alone.run_id, *(child.run_id for child in children)}) == 4
    for layer, child in enumerate(children, start=1):
        child.log_params({"layer": f"hidden.{layer}", "seed": 0})
        child.log_numbers({"density/ratio": Number(1.0 + layer)})
        child.finish()
    parent.log_children(children)
    parent.finish()
    logged = mlflow_client(settings).get_run(children[0].run_id)
    assert logged.data.tags["mlflow.parentRunId"] == parent.run_id
    table = pd.read_parquet(artifact(settings, parent, "tables/children.parquet"))
    assert table.columns.tolist() == ["run", "density/ratio", "layer", "status", "run_id"]
    assert table["density/ratio"].tolist() == [2.0, 3.0]
    again = Tracker(settings).open_run(name="layer 1", parent=parent, **keys | {"digest": "1" * 32})
    assert again.run_id == children[0].run_id


def test_few_numbers_are_metrics_and_all_stand_in_the_table(
    settings: Settings, mlflow_client: Client
) -> None:
    run = open_run(settings)
    numbers = {"q/purity": Number(0.9, 0.8, 1.0, chance=0.1), "q/purity.random_init": Number(0.5, 0.4, 0.6)}
    run.log_numbers(numbers, metrics={"q/purity": 0.9})
    run.finish()
    assert mlflow_client(settings).get_run(run.run_id).data.metrics == {"q/purity": 0.9}
    table = pd.read_parquet(artifact(settings, run, "tables/numbers.parquet")).set_index("name")
    assert table.loc["q/purity", ["low", "high", "chance"]].tolist() == [0.8, 1.0, 0.1]
    assert table.loc["q/purity.random_init", "high"] == 0.6


def test_numbers_that_are_not_finite_are_named_and_left_out(
    settings: Settings, said: Any, mlflow_client: Client
) -> None:
    run = open_run(settings, said)
    run.log_numbers(
        {"ratio": Number(math.inf), "share": Number(math.nan), "fine": Number(float(np.float32(0.5)))}
    )
    logged = mlflow_client(settings).get_run(run.run_id).data
    assert logged.metrics == {"fine": 0.5}
    assert logged.tags["polylens.not_finite"] == "ratio is inf; share is nan"
    assert said.notes == ["not logged as metrics of 'mlp-clusters': ratio is inf; share is nan"]


def test_a_long_param_is_cut_and_kept_whole_beside_the_spec(
    settings: Settings, mlflow_client: Client
) -> None:
    whole = "x" * 20_000
    run = open_run(settings)
    run.log_params({"model": {"names": whole, "kind": "mlp"}})
    params = mlflow_client(settings).get_run(run.run_id).data.params
    assert len(params["model.names"]) == 6000
    assert params["model.names"].endswith("x ... (whole: spec/params.json)")
    assert json.loads(artifact(settings, run, "spec/params.json").read_text())["model.names"] == whole


def test_params_that_changed_are_named_and_stay(settings: Settings, said: Any, mlflow_client: Client) -> None:
    run = open_run(settings, said)
    run.log_params({"seed": 0, "layer": "a"})
    run.log_params({"seed": 1, "layer": "a", "model": "mlp"})
    params = mlflow_client(settings).get_run(run.run_id).data.params
    assert params == {"seed": "0", "layer": "a", "model": "mlp"}
    assert said.notes == [f"run {run.run_id} keeps its earlier params seed; MLflow cannot change them"]


def test_hostile_names_and_texts_are_logged_and_stay_apart(settings: Settings, mlflow_client: Client) -> None:
    run = open_run(settings, name="'; DROP TABLE runs; --\x00\ud800", tags={"about": "\ud800\x00 <b>ü</b>"})
    run.log_numbers({"a@b": Number(1.0), "a[b": Number(2.0), "../../up": Number(3.0), "": Number(4.0)})
    run.log_numbers({"x" * 1000: Number(5.0), "ümlaut/größe": Number(6.0)})
    run.log_params({"../\x00": "\ud800", "k" * 600: "${x} %s {0}", "empty": "", "none": None})
    run.log_table(
        "../../../outside\x00", pd.DataFrame({"=cmd()": ["\ud800", 'a,b\n"c"', None]}, dtype=object)
    )
    run.log_figure(Figure(name="../fig/ü?", title="\ud800", caption="c", png=b"png"))
    run.finish()
    logged = mlflow_client(settings).get_run(run.run_id)
    assert sorted(logged.data.metrics.values()) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert logged.data.metrics["ümlaut/größe"] == 6.0
    assert logged.data.params["empty"] == '""'
    assert logged.data.params["none"] == "null"
    root = artifact(settings, run, "")
    inside = {path for path in root.rglob("*") if path.is_file()}
    everywhere = {path for path in (settings.project / "mlartifacts").rglob("*") if path.is_file()}
    assert inside == everywhere
    assert len(list((root / "tables").glob("outside*.parquet"))) == 1


def test_two_hundred_tables_in_one_run(settings: Settings) -> None:
    run = open_run(settings)
    for index in range(200):
        run.log_table(f"table-{index}", pd.DataFrame({"value": [index]}))
    folder = artifact(settings, run, "tables")
    assert len(list(folder.glob("*.parquet"))) == 200
    assert pd.read_csv(folder / "table-199.csv")["value"].tolist() == [199]


def test_more_metrics_and_params_than_one_request_holds(settings: Settings, mlflow_client: Client) -> None:
    run = open_run(settings)
    run.log_numbers({f"m/{index}": Number(float(index)) for index in range(2500)})
    run.log_params({f"p{index}": "\u4e16" * 5900 for index in range(150)})
    run.set_tags({f"t{index}": str(index) for index in range(150)})
    logged = mlflow_client(settings).get_run(run.run_id).data
    assert len(logged.metrics) == 2500
    assert len(logged.params) == 150
    assert logged.tags["t149"] == "149"


def test_the_experiment_carries_the_prefix(settings: Settings, mlflow_client: Client) -> None:
    run = open_run(replace(settings, experiment_prefix="anna/"))
    found = mlflow_client(settings).get_experiment_by_name("anna/digits")
    assert found is not None
    assert run.url is None


def test_a_deleted_experiment_is_an_error_with_the_way_out(settings: Settings, mlflow_client: Client) -> None:
    open_run(settings)
    experiment = _experiment(settings, mlflow_client)
    mlflow_client(settings).delete_experiment(experiment)
    with pytest.raises(TrackingError, match=f"mlflow experiments restore -x {experiment}"):
        Tracker(settings).prepare("digits")


def test_a_file_that_is_no_database_is_refused_at_once(tmp_path: Path, settings_for: Any) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"not a database at all, just some text" * 50)
    with pytest.raises(TrackingError, match="cannot use the database"):
        Tracker(settings_for(tmp_path)).prepare("digits")


def test_a_database_of_another_version_says_how_to_upgrade(settings: Settings) -> None:
    import sqlite3
    from contextlib import closing

    open_run(settings).finish()
    with closing(sqlite3.connect(settings.project / "mlflow.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
        connection.commit()
    with pytest.raises(TrackingError, match="mlflow db upgrade"):
        Tracker(settings).prepare("digits")


def test_nothing_is_printed(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    log_everything(open_run(settings))
    assert capfd.readouterr() == ("", "")


def _experiment(settings: Settings, mlflow_client: Client) -> str:
    return str(mlflow_client(settings).get_experiment_by_name("digits").experiment_id)
