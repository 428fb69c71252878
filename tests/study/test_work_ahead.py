"""A second process compiles and draws for a run: the same bytes as without it."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import Future
from typing import Any

import pytest
from tests.projects import Project

from polylens.study import ahead

pytestmark = pytest.mark.slow


def pictures(project: Project) -> dict[str, bytes]:
    stored = project.folder / ".polylens" / "v1" / "figures"
    return {str(file.relative_to(stored)): file.read_bytes() for file in sorted(stored.rglob("*.png"))}


def test_pictures_drawn_beside_are_those_drawn_here(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = project.spec(controls=None, labels=None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # no second process
    project.run(spec)
    here = pictures(project)
    shutil.rmtree(project.folder / ".polylens" / "v1" / "figures")

    drawn = []
    take = ahead.Ahead.drawn

    def waiting(self: ahead.Ahead, asked: Future[Any], here: Any) -> Any:
        drawn.append(asked.result())  # however slow the second process is: it draws
        return take(self, asked, here)

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(ahead.Ahead, "drawn", waiting)
    project.run(spec)
    assert len(drawn) == 2
    assert pictures(project) == here != {}
