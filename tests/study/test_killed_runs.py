"""A run killed at any moment, then the same command: the same tables, one MLflow run, nothing doubled.

`POLYLENS_RUN_KILLS=30` kills thirty runs instead of two.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.forking import REPOSITORY, Forks

pytestmark = pytest.mark.slow
_KILLS = int(os.environ.get("POLYLENS_RUN_KILLS", "2"))


def test_a_killed_run_continues_to_the_same_tables_and_doubles_nothing(tmp_path: Path, ready: Forks) -> None:
    done = ready.module(
        "tests.study.killed_runs", str(tmp_path), str(_KILLS), folder=REPOSITORY, patience=600 + 60 * _KILLS
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    whole = found["undisturbed"]
    assert whole["runs"] == ["FINISHED"]
    assert whole["points"] == {"training/loss": 2, "training/accuracy": 2}, "one a step, here an epoch"
    assert whole["kept"] == []
    assert len(whole["tables"]) > 5
    assert len(found["kills"]) == _KILLS
    assert any(kill["killed"] for kill in found["kills"])
    for kill in found["kills"]:
        assert kill["exit"] == 0, done.stderr
        assert kill["remains"] == whole, kill["after"]
