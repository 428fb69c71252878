"""A clock that is set forth and back while a run goes on changes nothing in it."""

from __future__ import annotations

import time
from itertools import cycle

import pytest
from tests.pictures import undrawn
from tests.projects import Project, ran

_DAY = 86400.0


@pytest.mark.slow
def test_a_clock_that_jumps_leaves_tables_and_numbers_as_they_are(
    project: Project, undisturbed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, jumps = time.time, cycle([0.0, 400 * _DAY, -3 * _DAY, -30 * _DAY, 2 * _DAY])
    monkeypatch.setattr(time, "time", lambda: true() + next(jumps))
    with undrawn():
        (run,) = project.run(project.spec())
    assert run["status"] == "done"
    assert project.tables() == undisturbed.tables()
    monkeypatch.setattr(time, "time", lambda: true() - 60 * _DAY)
    (again,) = project.run(project.spec())
    assert (ran(again), again["run_id"], again["metrics"]) == (set(), run["run_id"], run["metrics"])
