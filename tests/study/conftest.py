"""Projects for tests of whole studies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from tests.forking import Forks
from tests.mlflow_database import put_database
from tests.pictures import undrawn_but_for
from tests.projects import Project
from tests.shapes import unchecked

import polylens
from polylens.analyses.cluster_quality import ClusterQuality
from polylens.study.study_results import StudyResult


@pytest.fixture(autouse=True)
def as_users_run() -> Iterator[None]:
    """Whole runs take three times as long with their arrays' shapes checked, as tests of engines check them.

    What a module runs once, before its tests, is checked all the same.
    """
    with unchecked():
        yield


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[str], Project]:
    """Makes projects, each in a folder of its own."""

    def make(name: str) -> Project:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
        put_database(folder)
        return Project(folder)

    return make


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, ready: Forks) -> Project:
    """A project whose small spec ran once in a process of its own; only to be looked at."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(folder)
    project = Project(folder)
    project.runs_of(project.call_apart(ready, "run", "--json", project.spec()))
    return project


@pytest.fixture(scope="session")
def two_layers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, StudyResult]:
    """A project whose small spec ran once on two layers with two draws of a control, and what came of it.

    Of its clusters the galleries are drawn, and of their quality every picture.
    """
    folder = tmp_path_factory.mktemp("two-layers")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(folder)
    project = Project(folder)
    clusters = {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 2}
    spec = project.spec(
        layer=["hidden.1", "hidden.2"],
        code=None,
        controls=[{"use": "random_init", "draws": 2}],
        analyses={"clusters": clusters, "quality": {"kind": "cluster_quality", "of": "clusters"}},
    )
    with unchecked(), undrawn_but_for(ClusterQuality), chdir(folder):
        return project, polylens.run(spec)


@pytest.fixture
def project(make_project: Callable[[str], Project]) -> Project:
    """One project."""
    return make_project("project")
