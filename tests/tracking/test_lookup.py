"""Runs are found by what people call them, in a real SQLite database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from polylens.errors import TrackingError, UsageError
from polylens.settings import Settings
from polylens.tracking import TrackedRun, Tracker
from polylens.tracking.lookup import Lookup


def open_run(settings: Settings, name: str, *, mark: str = "1", parent: TrackedRun | None = None) -> Any:
    tracker = Tracker(settings)
    run = tracker.open_run(experiment="digits", name=name, digest=mark * 32, parent=parent)
    assert run.run_id is not None
    return run


def test_a_run_is_known_by_its_id_by_the_start_of_it_and_by_its_name(settings: Settings) -> None:
    run = open_run(settings, 'it\'s "mlp" 50% \\ seed=1')
    run.finish()
    lookup = Lookup(settings)
    for asked in (run.run_id, run.run_id[:12], run.run_id[:12].upper(), run.name):
        (entry,) = lookup.find(asked)
        assert entry.run_id == run.run_id
        assert (entry.name, entry.experiment, entry.is_finished) == (run.name, "digits", True)
        assert entry.spec_digest == "1" * 32


def test_all_runs_of_a_name_are_given_with_the_newest_first(settings: Settings) -> None:
    older, newer = open_run(settings, "mlp"), open_run(settings, "mlp", mark="2")
    child = open_run(settings, "mlp layer=1", mark="3", parent=newer)
    entries = Lookup(settings).find("mlp")
    assert {entry.run_id for entry in entries} == {older.run_id, newer.run_id}
    assert entries[0].started >= entries[1].started
    assert Lookup(settings).find(child.run_id)[0].parent_id == newer.run_id
    assert len(Lookup(settings).runs()) == 3


def test_a_wrong_name_gets_the_nearest_one(settings: Settings) -> None:
    open_run(settings, "mlp-clusters")
    with pytest.raises(UsageError, match="no run 'mlp-cluster'") as caught:
        Lookup(settings).find("mlp-cluster")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean 'mlp-clusters'?")


def test_a_start_that_several_ids_share_is_refused_with_the_runs_that_are_meant(settings: Settings) -> None:
    for mark in "12":
        renumber(settings, open_run(settings, f"mlp {mark}", mark=mark).run_id, "abcd" + mark * 28)
    with pytest.raises(UsageError, match="2 runs have an id that starts with 'abcd'") as caught:
        Lookup(settings).find("abcd")
    assert caught.value.hint is not None
    assert "abcd1111 'mlp 1' (running, " in caught.value.hint
    assert "abcd2222 'mlp 2' (running, " in caught.value.hint
    assert Lookup(settings).find("abcd1")[0].name == "mlp 1"


def test_a_deleted_run_is_said_to_be_deleted_and_how_it_comes_back(
    settings: Settings, mlflow_client: Any
) -> None:
    run = open_run(settings, "mlp")
    mlflow_client(settings).delete_run(run.run_id)
    with pytest.raises(UsageError, match="was deleted in MLflow") as caught:
        Lookup(settings).find(run.run_id[:8])
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f"mlflow runs restore --run-id {run.run_id}")
    assert Lookup(settings).runs() == ()
    assert [entry.is_deleted for entry in Lookup(settings).runs(deleted=True)] == [True]


def test_artifacts_are_read_and_missing_ones_are_said_to_be_missing(
    settings: Settings, tmp_path: Path
) -> None:
    open_run(settings, "mlp").log_report("<h1>Polytopes</h1>")
    lookup = Lookup(settings)
    (entry,) = lookup.runs()
    file = lookup.file(entry, "report.html", into=tmp_path)
    assert file is not None
    assert file.read_text() == "<h1>Polytopes</h1>"
    assert lookup.file(entry, "provenance/provenance.json", into=tmp_path) is None


def test_looking_up_makes_no_database(settings_for: Any, tmp_path: Path) -> None:
    settings = replace(settings_for(tmp_path), tracking_uri=f"sqlite:///{tmp_path}/none.db")
    assert Lookup(settings).runs() == ()
    with pytest.raises(UsageError, match="there are no runs yet"):
        Lookup(settings).find("mlp")
    assert not (tmp_path / "none.db").exists()


def test_a_server_that_is_away_is_not_said_to_have_no_runs(
    settings_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    lookup = Lookup(settings_for(tmp_path, tracking_uri="http://127.0.0.1:9"))
    with pytest.raises(TrackingError, match="connection refused"):
        lookup.runs()


def renumber(settings: Settings, run_id: str, wanted: str) -> None:
    """Gives a run another id, as no client can."""
    with closing(sqlite3.connect(str(settings.database))) as connection, connection:
        for table in ("tags", "runs"):
            connection.execute(f"UPDATE {table} SET run_uuid = ? WHERE run_uuid = ?", (wanted, run_id))
