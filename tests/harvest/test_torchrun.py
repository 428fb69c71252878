"""polylens started by torchrun: the rows of one process, one voice, one run in MLflow."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.mlflow_database import put_database
from tests.projects import Project

from polylens.devices import Options
from polylens.errors import UsageError
from polylens.workers.outside import Place, place_outside

CHANGES = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16, 16], "classes": 10},
    "dataset": {"kind": "digits", "split": "test", "test_fraction": 0.4},
    "controls": None,
    "layer": "input",
    "code": {"kind": "sign", "units": "downstream", "through": "output", "positions": "all"},
    "analyses": {"clusters": {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 1}},
    "labels": None,
}


SHARED = """
from polylens.analyses import spanning_tree
from polylens.cli import program
spanning_tree.WORTH_SHARING = 300
program()
"""
"""The program, with a limit that so few rows reach."""


def stored(project):
    """Bytes of every file of every harvest and analysis, but for manifests, which say when."""
    home = project.folder / ".polylens" / "v1"
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted([*home.glob("harvest/**/*"), *home.glob("analysis/**/*")])
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.fixture
def projects(tmp_path):
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mlflow.yaml").touch()
        put_database(tmp_path / name)
        made.append(Project(tmp_path / name))
    return made


@pytest.mark.slow
def test_two_processes_of_torchrun_write_the_bytes_of_one_and_the_first_alone_speaks(projects):
    from mlflow import MlflowClient

    one, two = projects
    one.run(one.spec(**CHANGES))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    (two.folder / "shared.py").write_text(SHARED)
    command = [*launcher, "shared.py", "run", str(two.spec(**CHANGES)), "--accelerator", "cpu"]
    done = subprocess.run(command, cwd=two.folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert stored(two) == stored(one)
    assert {name.partition("/")[0] for name in stored(one)} == {"harvest", "analysis"}
    assert done.stdout.count("Report: ") == 1
    client = MlflowClient(f"sqlite:///{two.folder / 'mlflow.db'}")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    assert [run.info.status for run in client.search_runs(ids)] == ["FINISHED"]


def test_torchruns_variables_say_which_process_this_is(monkeypatch):
    words = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    for name, value in {**words, "MASTER_ADDR": "first", "MASTER_PORT": "7"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert place_outside() is None, "left by some other program"
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "id")
    place = place_outside()
    assert place == Place(rank=5, count=8, local_rank=1, local_count=4, address="first", port=7)
    options = place.settled(Options())
    assert (options.devices, options.num_nodes, options.is_distributed) == (4, 2, True)
    environment = place.environment(99)
    assert (environment["GROUP_RANK"], environment["MASTER_PORT"]) == ("1", "99")
    with pytest.raises(UsageError, match="--devices 8 does not fit: 8 processes were started on 2 machine"):
        place.settled(Options(devices=8))


def test_sruns_variables_say_which_process_this_is_and_those_of_sbatch_do_not(monkeypatch):
    for name in ("TORCHELASTIC_RUN_ID", "SLURM_STEP_ID"):
        monkeypatch.delenv(name, raising=False)
    words = {"SLURM_JOB_ID": "12345", "SLURM_NTASKS": "4", "SLURM_PROCID": "3", "SLURM_LOCALID": "1"}
    words |= {"SLURM_STEP_NODELIST": "gpu[07-08]", "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2"}
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    assert place_outside() is None, "a script of sbatch is one process"
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    place = place_outside()
    assert place is not None
    assert (place.rank, place.count, place.local_rank, place.local_count) == (3, 4, 1, 2)
    assert place.address == "gpu07"
    assert place.port == 15000 + 2345
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert place_outside() is None
