"""A second process walks variants, compiles and draws for a run: the same bytes as without it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from tests.pictures import undrawn
from tests.projects import Project, ran

from polylens.study import ahead, beside
from polylens.study.performing import StageReport

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
    take = ahead.Ahead.figures

    def waiting(self: ahead.Ahead, asked: Future[Any], here: Any) -> Any:
        drawn.append(asked.result())  # however slow the second process is: it draws
        return take(self, asked, here)

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(ahead.Ahead, "figures", waiting)
    project.run(spec)
    assert len(drawn) == 2
    assert pictures(project) == here != {}


def contents(project: Project) -> dict[str, bytes]:
    """Every stored result but for what is written of when and how long."""
    stored = project.folder / ".polylens" / "v1"
    kept = (
        "weights.safetensors",
        "activations.npy",
        "packed.npy",
        "labels.npy",
        "findings.json",
        "labels.json",
    )
    return {str(file.relative_to(stored)): file.read_bytes() for name in kept for file in stored.rglob(name)}


def test_variants_walked_beside_are_those_walked_here(
    make_project: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"controls": [{"use": name, "draws": 1} for name in ("random_init", "random_labels")]}
    alone, shared = make_project("alone"), make_project("shared")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # no second process
    with undrawn():
        first = alone.run(alone.spec(**changes))[0]

    walked: list[StageReport] = []
    take = beside.Beside._result

    def waiting(self: beside.Beside, asked: Future[beside.Reports]) -> beside.Reports:
        walked.extend(asked.result())  # however slow the second process is: it walks
        return take(self, asked)

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(beside.Beside, "_result", waiting)
    with undrawn():
        second = shared.run(shared.spec(**changes))[0]

    names = {report.name for report in walked}
    assert {"train", "train.random_labels", "clusters.random_init", "quality.raw_inputs"} <= names
    assert not {"harvest", "clusters"} & names, "the network itself is walked here"
    assert ran(first) == ran(second), "what the second process did is reported as done by this run"
    assert first["metrics"] == second["metrics"]
    assert contents(alone) == contents(shared) != {}
