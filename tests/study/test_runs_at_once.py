"""Commands given at once in a project without a database: each ends well, and nothing is doubled."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import pytest
from tests.forking import REPOSITORY, Forks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, ready: Forks) -> Mapping[str, Any]:
    done = ready.module(
        "tests.study.runs_at_once",
        str(tmp_path_factory.mktemp("at-once")),
        environment={**os.environ, "OMP_NUM_THREADS": "1"},
        folder=REPOSITORY,
        patience=600,
    )
    assert done.returncode == 0, done.stderr
    read: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return read


def test_one_spec_run_twice_at_once_is_one_run_like_that_of_one_command(found: Mapping[str, Any]) -> None:
    assert found["alone"]["runs"] == ["FINISHED"]
    assert found["same"] == {"exits": [0, 0], "remains": found["alone"]}


def test_eight_runs_at_once_are_eight_runs(found: Mapping[str, Any]) -> None:
    eight, alone = found["eight"], found["small"]
    assert eight["exits"] == [0] * 8
    remains = eight["remains"]
    assert remains["runs"] == ["FINISHED"] * 8
    assert remains["points"] == alone["points"]
    assert remains["metrics"] == sorted(alone["metrics"] * 8)
    assert (len(remains["tables"]), remains["kept"]) == (8 * len(alone["tables"]), [])
    own = [digest for name, digest in alone["tables"].items()]
    assert set(own) <= set(remains["tables"].values())
