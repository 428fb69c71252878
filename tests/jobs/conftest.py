"""A project and a stand-in for SLURM's commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.mlflow_database import put_database
from tests.projects import Project
from tests.slurm_stand_in import install


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose tracker is made already."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlflow.yaml").write_text("jobs: {at_once: 1, partition: short, time: 90}\n")
    put_database(folder)
    return Project(folder)


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts the stand-in first on PATH; gives its folder."""

    def begin(*, without: tuple[str, ...] = ()) -> Path:
        folder = tmp_path / "slurm"
        binaries = install(folder, without=without)
        monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
        return folder

    return begin
