"""A process killed while it makes MLflow's database: the same command works, and everything is logged once.

`POLYLENS_KILLS=200` kills at two hundred moments instead of two.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.forking import REPOSITORY, Forks

_KILLS = int(os.environ.get("POLYLENS_KILLS", "2"))


@pytest.mark.slow
def test_after_a_kill_at_any_moment_the_same_command_logs_everything_once(
    tmp_path: Path, ready: Forks
) -> None:
    done = ready.module(
        "tests.tracking.killed_makers",
        str(tmp_path),
        str(_KILLS),
        folder=REPOSITORY,
        patience=300 + 30 * _KILLS,
    )
    assert done.returncode == 0, done.stderr
    kills = json.loads(done.stdout.splitlines()[-1])["kills"]
    assert len(kills) == _KILLS
    assert [kill for kill in kills if kill["exit"] != 0] == []
    # The phase was met: some process died with its database unfinished.
    assert any(kill["killed"] and kill["had_remains"] and not kill["had_database"] for kill in kills)
    for folder in tmp_path.glob("kill-*"):
        names = {path.name for path in folder.iterdir()}
        assert names <= {"mlflow.yaml", "mlflow.db", "mlflow.db.lock", "mlartifacts", ".polylens"}, names
        assert list((folder / ".polylens").glob("kept/*/journal.jsonl")) == []
        with closing(sqlite3.connect(folder / "mlflow.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("SELECT status FROM runs").fetchall() == [("FINISHED",)]
            points = database.execute("SELECT key, count(*) FROM metrics GROUP BY key").fetchall()
            assert points == [(f"m/{index}", 1) for index in sorted(range(20), key=str)]
        assert len(list(folder.rglob("report.html"))) == 1
