"""An absent server: the run goes on, what it logs is kept, and is sent once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from polylens.errors import TrackingError
from polylens.records import Number
from polylens.settings import Settings
from polylens.tracking import Tracker, connection, faults, tracker
from polylens.tracking.operations import Metrics

KEYS = {"experiment": "digits", "name": "run", "digest": "1" * 32}


@contextmanager
def answering(status: int) -> Iterator[str]:
    """The address of a server that answers every request with one status and nothing else."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Takes the database away and gives it back, as the connection tells of a server that does not answer."""
    connect = connection.connect

    def refuse(*_: object, **__: object) -> Any:
        raise faults.AwayError("connection refused")

    def switch(is_away: bool) -> None:
        monkeypatch.setattr("polylens.tracking.delivery.connect", refuse if is_away else connect)

    return switch


def log(run: Any, *, purity: float = 0.1 + 0.2) -> None:
    run.log_spec(written="seed: 0\n", resolved="seed: 0\n")
    run.log_params({"seed": 0})
    run.log_numbers({"quality/purity": Number(purity)})
    run.log_table("clusters", pd.DataFrame({"cluster": [0, 1]}))
    run.finish()


def test_a_run_without_a_server_is_kept_and_sent_by_a_later_command(
    settings: Settings, said: Any, away: Callable[[bool], None], mlflow_client: Any
) -> None:
    away(True)
    absent = Tracker(settings, progress=said)
    absent.prepare("digits")
    assert absent.is_away
    parent = absent.open_run(**KEYS | {"name": "parent", "digest": "2" * 32})
    child = absent.open_run(**KEYS, parent=parent)
    assert (child.run_id, child.finished) == (None, False)
    log(child)
    parent.log_children([child])
    parent.finish()
    (note,) = said.notes
    assert note.startswith("MLflow at sqlite:///")
    assert "takes nothing now (connection refused); what is logged is kept" in note

    # Still away: it is tried, and everything stays.
    assert Tracker(settings).send_kept() == 0
    repeated = Tracker(settings)
    repeated.prepare("digits")
    assert repeated.open_run(**KEYS, parent=parent).finished

    away(False)
    later = Tracker(settings, progress=said)
    assert later.send_kept() == 2
    assert said.notes[-1].startswith("sent what was kept of 2 runs to sqlite:///")
    assert later.send_kept() == 0
    found = later.open_run(**KEYS, parent=later.open_run(**KEYS | {"name": "parent", "digest": "2" * 32}))
    assert found.finished
    client = mlflow_client(settings)
    logged = client.get_run(found.run_id)
    # Doubles survive the way over the disk bit by bit.
    assert logged.data.metrics == {"quality/purity": 0.1 + 0.2}
    assert logged.data.params == {"seed": "0"}
    assert logged.info.start_time == child.identity.start_time
    assert {file.path for file in client.list_artifacts(found.run_id, "tables")} == {
        "tables/clusters.csv",
        "tables/clusters.parquet",
        "tables/numbers.csv",
        "tables/numbers.parquet",
    }
    assert len(client.search_runs([logged.info.experiment_id])) == 2


def test_what_was_sent_before_the_server_went_away_is_not_doubled(
    settings: Settings, said: Any, monkeypatch: pytest.MonkeyPatch, mlflow_client: Any
) -> None:
    first = Tracker(settings, progress=said)
    first.prepare("digits")
    run = first.open_run(**KEYS)
    run.log_numbers({"early": Number(1.0)})

    send = Metrics.send

    def answer_lost(self: Metrics, client: Any, run_id: str) -> tuple[str, ...]:
        # The worst case: the server did it, and its answer never came.
        send(self, client, run_id)
        raise TimeoutError("timed out")

    monkeypatch.setattr(Metrics, "send", answer_lost)
    run.log_numbers({"lost": Number(2.0)})
    monkeypatch.undo()
    run.log_numbers({"late": Number(3.0)})
    run.finish()
    client = mlflow_client(settings)
    assert client.get_run(run.run_id).info.status == "RUNNING"

    assert Tracker(settings).send_kept() == 1
    logged = client.get_run(run.run_id)
    assert logged.data.metrics == {"early": 1.0, "lost": 2.0, "late": 3.0}
    assert logged.info.status == "FINISHED"
    assert all(len(client.get_metric_history(run.run_id, name)) == 1 for name in logged.data.metrics)


def test_a_journal_cut_off_by_a_kill_loses_one_line_only(
    settings: Settings, away: Callable[[bool], None], mlflow_client: Any
) -> None:
    away(True)
    absent = Tracker(settings)
    absent.prepare("digits")
    run = absent.open_run(**KEYS)
    run.log_params({"seed": 0})
    (journal,) = (settings.store / "kept").glob("*/journal.jsonl")
    with journal.open("ab") as stream:
        stream.write(b'\n{"kind": "metrics", "metr')
    run.log_numbers({"quality/purity": Number(0.5)})
    away(False)
    later = Tracker(settings)
    assert later.send_kept() == 1
    logged = mlflow_client(settings).get_run(later.open_run(**KEYS).run_id).data
    assert (logged.params, logged.metrics) == ({"seed": "0"}, {"quality/purity": 0.5})


def test_what_was_kept_for_another_address_is_named_and_stays(
    settings: Settings, said: Any, away: Callable[[bool], None], settings_for: Any
) -> None:
    away(True)
    other = settings_for(settings.project, tracking_uri="https://anna:hush@far:5000")
    absent = Tracker(other)
    absent.prepare("digits")
    absent.open_run(**KEYS).finish()
    away(False)
    assert Tracker(settings, progress=said).send_kept() == 0
    assert said.notes == [f"1 run kept in {settings.store / 'kept'} for https://***@far:5000"]
    kept = b"".join(path.read_bytes() for path in (settings.store / "kept").rglob("*") if path.is_file())
    assert b"hush" not in kept


def test_what_a_server_refuses_is_kept_and_the_rest_is_sent(
    settings: Settings, said: Any, monkeypatch: pytest.MonkeyPatch, mlflow_client: Any
) -> None:
    def refuse(*_: object) -> tuple[str, ...]:
        raise ValueError("quota exceeded")

    ready = Tracker(settings, progress=said)
    ready.prepare("digits")
    run = ready.open_run(**KEYS)
    monkeypatch.setattr(Metrics, "send", refuse)
    log(run)
    assert mlflow_client(settings).get_run(run.run_id).data.params == {"seed": "0"}
    assert said.notes == [
        f"MLflow refused metrics of run {run.run_id}: quota exceeded; kept in {settings.store / 'kept'}"
    ]
    assert Tracker(settings, progress=said).send_kept() == 0
    assert "quota exceeded; it stays in" in said.notes[-1]
    monkeypatch.undo()
    assert Tracker(settings).send_kept() == 1
    assert mlflow_client(settings).get_run(run.run_id).data.metrics["quality/purity"] == 0.1 + 0.2


def test_an_absent_server_costs_seconds_and_prints_nothing(
    tmp_path: Path,
    said: Any,
    settings_for: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # Port 9 (discard) on loopback: nothing listens, the connection is refused.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    absent = Tracker(settings_for(tmp_path, tracking_uri="http://127.0.0.1:9"), progress=said)
    absent.prepare("digits")
    log(absent.open_run(**KEYS))
    assert len(said.notes) == 1
    assert said.notes[0].startswith(
        "MLflow at http://127.0.0.1:9 takes nothing now (connection refused); what is"
    )
    assert capfd.readouterr() == ("", "")


def test_a_server_that_takes_the_call_and_says_nothing_is_absent(
    tmp_path: Path, said: Any, settings_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        address = f"http://127.0.0.1:{mute.getsockname()[1]}"
        absent = Tracker(settings_for(tmp_path, tracking_uri=address), progress=said)
        absent.prepare("digits")
    assert absent.is_away
    assert "takes nothing now (no answer in time)" in said.notes[0]


@pytest.mark.parametrize(
    ("status", "hint"),
    [(404, "something else than an MLflow server answers"), (401, "MLFLOW_TRACKING_TOKEN")],
)
def test_an_address_that_answers_otherwise_is_an_error_with_a_hint(
    tmp_path: Path, settings_for: Any, status: int, hint: str
) -> None:
    with answering(status) as address:
        stranger = settings_for(tmp_path, tracking_uri=address)
        with pytest.raises(TrackingError, match=hint):
            Tracker(stranger).prepare("digits")


def test_a_database_server_that_is_absent_is_noticed_before_mlflow_retries(
    tmp_path: Path, said: Any, settings_for: Any
) -> None:
    absent = Tracker(settings_for(tmp_path, tracking_uri="postgresql://me@127.0.0.1:9/runs"), progress=said)
    absent.prepare("digits")
    assert absent.is_away
    assert "no database answers at 127.0.0.1:9" in said.notes[0]


def test_a_database_that_cannot_be_written_is_an_error_before_anything_is_computed(
    tmp_path: Path, settings_for: Any
) -> None:
    (tmp_path / "file").write_text("")
    unusable = settings_for(tmp_path, tracking_uri=f"sqlite:///{tmp_path}/file/mlflow.db")
    with pytest.raises(TrackingError, match="cannot write"):
        Tracker(unusable).prepare("digits")


def test_the_waits_of_mlflow_are_shortened_unless_the_user_says_otherwise(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    tracker.Tracker(settings).prepare("digits")
    import os

    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"


def test_the_rest_of_a_run_that_was_deleted_meanwhile_does_not_pass_for_the_whole(
    settings: Settings, said: Any, mlflow_client: Any
) -> None:
    first = Tracker(settings, progress=said)
    first.prepare("digits")
    run = first.open_run(**KEYS)
    run.log_params({"seed": 0})
    client = mlflow_client(settings)
    client.delete_run(run.run_id)
    run.log_numbers({"late": Number(1.0)})
    run.finish()
    assert not run.is_in_mlflow
    assert "Current state is deleted" in first.trouble

    # The next command drops the rest and finds no run, so that all of it is written again.
    later = Tracker(settings, progress=said)
    assert later.send_kept() == 0
    assert "was deleted in MLflow before all of it was sent" in said.notes[-1]
    again = later.open_run(**KEYS)
    assert (again.finished, again.params) == (False, {})
    log(again)
    assert again.is_in_mlflow
    assert client.get_run(again.run_id).data.params == {"seed": "0"}


def test_what_was_kept_of_a_deleted_experiment_is_sent_when_it_is_back(
    settings: Settings, mlflow_client: Any
) -> None:
    first = Tracker(settings)
    first.prepare("digits")
    run = first.open_run(**KEYS)
    client = mlflow_client(settings)
    experiment = client.get_experiment_by_name("digits").experiment_id
    client.delete_experiment(experiment)
    log(run)
    assert not run.is_in_mlflow
    with pytest.raises(TrackingError, match="was deleted"):
        Tracker(settings).prepare("digits")
    client.restore_experiment(experiment)
    later = Tracker(settings)
    assert later.send_kept() == 1
    found = later.open_run(**KEYS)
    assert found.is_in_mlflow
    assert (found.run_id, found.params) == (run.run_id, {"seed": "0"})


def test_a_kill_while_what_was_sent_is_removed_leaves_nothing_to_send(
    settings: Settings, away: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    away(True)
    absent = Tracker(settings)
    absent.prepare("digits")
    log(absent.open_run(**KEYS))
    away(False)
    with monkeypatch.context() as killed:
        # What a kill in the middle of removing would leave: the files, under whatever name they have then.
        killed.setattr("polylens.tracking.kept.shutil.rmtree", lambda *_, **__: None)
        assert Tracker(settings).send_kept() == 1
    assert any((settings.store / "kept").iterdir())
    later = Tracker(settings)
    assert later.send_kept() == 0
    assert later.open_run(**KEYS).is_in_mlflow


@pytest.mark.parametrize(("status", "is_away"), [(500, True), (503, True), (403, False)])
def test_a_server_that_fails_is_away_and_one_that_refuses_is_an_error(
    tmp_path: Path, said: Any, settings_for: Any, monkeypatch: pytest.MonkeyPatch, status: int, is_away: bool
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with answering(status) as address:
        tracker = Tracker(settings_for(tmp_path, tracking_uri=address), progress=said)
        if is_away:
            tracker.prepare("digits")
            run = tracker.open_run(**KEYS)
            log(run)
            assert not run.is_in_mlflow
            assert "takes nothing now" in said.notes[0]
        else:
            with pytest.raises(TrackingError, match="MLFLOW_TRACKING_PASSWORD"):
                tracker.prepare("digits")
