"""Whole runs on several processes: rows and trees of one process, byte for byte, told by one voice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.projects import Project
from tests.shapes import unchecked

from polylens.analyses import hdbscan, spanning_tree
from polylens.study import sharing

pytestmark = pytest.mark.slow

CHANGES = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16, 16], "classes": 10},
    "layer": "input",
    "code": {"kind": "sign", "units": "downstream", "through": "output", "positions": "all"},
    "dataset": {"kind": "digits", "split": "test", "test_fraction": 0.4},
    "controls": None,
    "analyses": {
        "clusters": {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 1},
        "sampled": {"kind": "hdbscan", "on": "code", "sample": 200, "subsamples": 0},
    },
    "labels": None,
}
SHARED = """
from polylens.analyses import spanning_tree
from polylens.cli import program
from tests.pictures import undrawn
spanning_tree.WORTH_SHARING = 300
with undrawn():
    program()
"""
"""The program, with a limit that so few rows reach for one analysis. It draws nothing."""


def empty_project(folder: Path) -> Project:
    """A project whose tracker is made already."""
    folder.mkdir(exist_ok=True)
    (folder / "mlflow.yaml").touch()
    put_database(folder)
    return Project(folder)


def stored(project):
    """Bytes of every file of every harvest and analysis, but for manifests, which say when."""
    home = project.folder / ".polylens" / "v1"
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted([*home.glob("harvest/**/*"), *home.glob("analysis/**/*")])
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.fixture(scope="module")
def of_one_process(tmp_path_factory):
    project = empty_project(tmp_path_factory.mktemp("one"))
    with unchecked(), undrawn():
        project.run(project.spec(**CHANGES))
    return project


def test_two_devices_share_the_pairs_and_write_the_bytes_of_one(of_one_process, tmp_path, monkeypatch):
    project = Project(tmp_path / "two")
    shutil.copytree(of_one_process.folder, project.folder)
    shutil.rmtree(project.folder / ".polylens" / "v1" / "analysis")
    started = []

    def begin(crew, *, hear):
        started.append(crew.stage)
        run_workers(crew, hear=hear)

    run_workers = sharing.run_workers
    monkeypatch.setattr(sharing, "run_workers", begin)
    for module in (hdbscan, spanning_tree):
        monkeypatch.setattr(module, "WORTH_SHARING", 300)
    with undrawn():
        done = project.call("run", project.spec(**CHANGES), "--devices", "2", "--accelerator", "cpu")
    assert done.returncode == 0, done.stderr
    assert started == ["clusters.spanning_tree", "sampled"]
    assert stored(project) == stored(of_one_process)


def test_two_processes_of_torchrun_write_the_bytes_of_one_and_the_first_alone_speaks(
    of_one_process, tmp_path
):
    from mlflow import MlflowClient

    project = empty_project(tmp_path / "two")
    (project.folder / "shared.py").write_text(SHARED)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, "shared.py", "run", str(project.spec(**CHANGES)), "--accelerator", "cpu"]
    found = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command,
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": found},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert stored(project) == stored(of_one_process)
    assert {name.partition("/")[0] for name in stored(project)} == {"harvest", "analysis"}
    assert done.stdout.count("Report: ") == 1
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    assert [run.info.status for run in client.search_runs(ids)] == ["FINISHED"]
