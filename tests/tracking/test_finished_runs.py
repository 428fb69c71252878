"""Finished runs are read from the SQLite file as MLflow has them; whatever is in doubt is left to MLflow."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from polylens.records import Number
from polylens.settings import Settings
from polylens.tracking import TrackedRun, Tracker
from polylens.tracking.finished import KnownRun, finished_run

DIGEST = "0123456789abcdef0123456789abcdef"
TAG = ("polylens.spec_digest", DIGEST)
PARENT = "mlflow.parentRunId"
Client = Callable[[Settings], Any]


def open_run(settings: Settings, *, experiment: str = "digits", **keys: Any) -> TrackedRun:
    tracker = Tracker(settings)
    tracker.prepare(experiment)
    return tracker.open_run(**{"experiment": experiment, "name": "mlp", "digest": DIGEST} | keys)


def finish(run: TrackedRun) -> TrackedRun:
    run.log_params({"seed": 0})
    run.log_numbers({"quality/purity": Number(0.9, low=0.8, high=0.95)})
    run.finish()
    return run


def read(settings: Settings, *, parent: str | None = None, experiment: str = "digits") -> KnownRun | None:
    assert settings.database is not None
    return finished_run(settings.database, experiment=experiment, tag=TAG, parent=(PARENT, parent))


def test_a_finished_run_is_read_as_mlflow_has_it(settings: Settings, mlflow_client: Client) -> None:
    run = finish(open_run(settings))
    assert read(settings) == KnownRun.from_mlflow(mlflow_client(settings).get_run(run.run_id))


def test_a_finished_run_is_opened_again_without_mlflow(settings: Settings) -> None:
    first = finish(open_run(settings))
    tracker = Tracker(settings)
    assert tracker.has_finished("digits", DIGEST)
    again = tracker.open_run(experiment="digits", name="mlp", digest=DIGEST)
    assert (again.run_id, again.finished, again.is_in_mlflow) == (first.run_id, True, True)
    assert (again.params, again.metrics) == (first.params, first.metrics)
    assert tracker._delivery._client is None
    again.set_tags({"polylens.looks": "new"})
    logged = read(settings)
    assert logged is not None
    assert logged.tags["polylens.looks"] == "new"


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "KILLED"])
def test_a_run_that_did_not_come_to_its_end_is_left_to_mlflow(settings: Settings, status: str) -> None:
    run = open_run(settings)
    if status != "RUNNING":
        run.finish(status)
    assert read(settings) is None


def test_what_was_deleted_or_lies_elsewhere_is_not_taken(settings: Settings, mlflow_client: Client) -> None:
    run = finish(open_run(settings))
    assert read(settings, experiment="letters") is None
    assert read(settings, parent="another") is None
    client = mlflow_client(settings)
    client.delete_run(run.run_id)
    assert read(settings) is None
    client.restore_run(run.run_id)
    assert read(settings) is not None
    client.delete_experiment(client.get_experiment_by_name("digits").experiment_id)
    assert read(settings) is None


def test_a_child_is_taken_under_its_own_parent_only(settings: Settings) -> None:
    parent = finish(open_run(settings, digest="parent"))
    child = finish(open_run(settings, parent=parent))
    assert read(settings) is None
    logged = read(settings, parent=parent.run_id)
    assert logged is not None
    assert logged.run_id == child.run_id


def test_a_file_that_cannot_be_read_so_is_left_to_mlflow(settings: Settings, tmp_path: Path) -> None:
    finish(open_run(settings))
    assert settings.database is not None
    with closing(sqlite3.connect(settings.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert read(settings) is None
    for name, content in {"none.db": None, "empty.db": b"", "text.db": b"no database at all\n" * 99}.items():
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        assert finished_run(file, experiment="digits", tag=TAG, parent=(PARENT, None)) is None
        assert file.exists() == (content is not None)
