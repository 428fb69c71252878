"""What MLflow lacks is said by the exit code and in words, in every mode, and sent by the next run."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.mlflow_database import NAME
from tests.projects import Project

import polylens
from polylens.cli import main
from polylens.errors import UnloggedWarning
from polylens.tracking import databases

pytestmark = pytest.mark.slow
_CHANGES = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16], "classes": 10},
    "layer": "hidden.1",
    "analyses": {"groups": {"kind": "kmeans", "on": "activation", "clusters": 3, "subsamples": 0}},
    "code": None,
    "controls": None,
    "labels": None,
}


def test_a_run_that_is_not_in_mlflow_says_so_in_every_mode_until_it_is(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(databases, "_PATIENCE_SECONDS", 0.1)
    spec = str(project.spec(**_CHANGES))
    with closing(sqlite3.connect(project.folder / NAME)) as other:
        other.execute("BEGIN EXCLUSIVE")

        assert main(["run", spec, "--limit", "40", "--quiet"]) == 4
        said = capsys.readouterr()
        assert "polylens ui" not in said.out
        assert "Report: " in said.out
        assert said.err.startswith("not in MLflow: small limit=40 (MLflow at sqlite:///")
        assert "is locked by another program" in said.err
        assert "kept in .polylens/kept; the next polylens run, or polylens ui, sends it" in said.err

        # Everything is stored now, and the run counts as finished: it is no more logged than before.
        assert main(["run", spec, "--limit", "40", "--json"]) == 4
        said = capsys.readouterr()
        (run,) = json.loads(said.out)["runs"]
        assert (run["status"], run["logged"], run["run_id"]) == ("done", False, None)
        assert "not in MLflow: small limit=40" in said.err

        with pytest.warns(UnloggedWarning, match="not in MLflow: small limit=40"):
            result = polylens.run(spec, limit=40)
        assert result.unlogged == ("small limit=40",)

    assert main(["run", spec, "--limit", "40", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["logged"], bool(run["run_id"])) == (True, True)
    assert main(["run", spec, "--limit", "40"]) == 0
    assert "All runs, tables and figures: polylens ui" in capsys.readouterr().out
    assert list((project.folder / ".polylens" / "kept").glob("*/journal.jsonl")) == []


def test_artifacts_that_are_refused_are_said_and_the_rest_is_logged(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.folder)
    spec = str(project.spec(**_CHANGES))
    Path("mlartifacts").write_text("in the way")
    assert main(["run", spec, "--limit", "40", "--json"]) == 4
    said = capsys.readouterr()
    (run,) = json.loads(said.out)["runs"]
    assert run["logged"] is False
    assert run["run_id"]
    assert "not in MLflow: small limit=40 (MLflow refused artifact: " in said.err
    with closing(sqlite3.connect(NAME)) as database:
        assert database.execute("SELECT count(*) FROM metrics").fetchone()[0] > 0
    Path("mlartifacts").unlink()
    assert main(["run", spec, "--limit", "40", "--quiet"]) == 0
    assert [path.name for path in Path("mlartifacts").rglob("report.html")] == ["report.html"]
