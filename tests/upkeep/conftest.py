"""A project with two finished runs of one small spec, and its store to be cleared at will."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.houses import SMALL, House
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.projects import Project
from tests.shapes import unchecked

from polylens.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def as_users_run() -> Iterator[None]:
    """Whole runs, without the checks of arrays' shapes."""
    with unchecked():
        yield


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The project after both runs; what a test changes in MLflow it puts back."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(folder)
    project = Project(folder)
    spec = project.spec(**SMALL)
    with undrawn():
        (three,) = project.run(spec)
        (four,) = project.run(spec, "--set", "analyses.groups.clusters=4")
    return House(project, spec, three, four)


@pytest.fixture
def settings(house: House, tmp_path: Path) -> Settings:
    """The project's settings with a copy of its store."""
    whole = load_settings(house.project.folder)
    shutil.copytree(whole.store, tmp_path / "store")
    return replace(whole, store=tmp_path / "store")


@pytest.fixture
def deleted_four(house: House) -> Iterator[None]:
    """The run with four clusters is marked as deleted meanwhile."""
    house.client.delete_run(house.four["run_id"])
    yield
    house.client.restore_run(house.four["run_id"])
