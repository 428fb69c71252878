"""Runs as jobs, from the command to MLflow, by a queue that really starts what it is given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.slurm_stand_in import submissions

from polylens.devices import Options
from polylens.imports import submitit
from polylens.jobs import clusters, launching
from polylens.jobs.errand import Errand
from polylens.settings.jobs import Jobs

SMALL = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16, 16], "classes": 10},
    "controls": None,
    "analyses": {"codes": {"kind": "code_statistics"}},
    "labels": None,
}
"""Changes that make the small spec one that a job does in a moment: nothing is trained."""


def logged(project):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    found = client.search_experiments(filter_string="name = 'tests'")
    runs = client.search_runs([found[0].experiment_id]) if found else []
    return {run.info.run_name: run.info.status for run in runs}


@pytest.mark.slow
def test_a_sweep_is_an_array_whose_preempted_job_goes_on_from_its_shards(project, slurm):
    folder = slurm()
    digits = {"kind": "digits", "split": "test", "test_fraction": 0.9}
    spec = project.spec(**SMALL, layer=["hidden.1", "hidden.2"], dataset=digits)
    of_both_layers = ["v1/.partial/harvest-*/*.safetensors", "2"]
    (folder / "asked" / "preempt").write_text("\n".join([f"{project.folder / '.polylens'}", *of_both_layers]))

    done = project.call("run", spec, "--launcher", "slurm", "--batch-size", "4", "--job", "mem=2G")
    assert done.returncode == 0, done.stderr
    (script,) = submissions(folder)
    for asked in ("--array=0-1%1", "--partition=short", "--time=90", "--mem=2G", "--job-name=polylens-small"):
        assert f"#SBATCH {asked}" in script
    assert "wckey" not in script
    log = (project.folder / ".polylens" / "jobs" / "small" / "100_0_0_log.err").read_text()
    assert "Caught signal SIGUSR2" in log
    assert "examples were harvested before; going on" in log
    assert "small layer=hidden.2: done (job 100_1)" in done.stderr
    assert logged(project) == dict.fromkeys(
        ("small", "small layer=hidden.1", "small layer=hidden.2"), "FINISHED"
    )

    (run, other) = project.run(spec, "--launcher", "slurm", "--batch-size", "4")
    assert len(submissions(folder)) == 1, "everything is stored"
    assert {stage["status"] for each in (run, other) for stage in each["stages"]} == {"stored"}


@pytest.mark.slow
def test_jobs_on_this_machine_say_which_run_failed_and_why_and_log_the_others(project):
    clusters = {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 0}
    spec = project.spec(
        **{**SMALL, "analyses": {"clusters": clusters}},
        sweep={"analyses.clusters.min_cluster_size": [5, 5000]},
    )
    done = project.call("run", spec, "--launcher", "local", "--job", "at_once=2")
    assert done.returncode == 3
    assert "small min_cluster_size=5: done" in done.stderr
    assert "failed: small min_cluster_size=5000: stage clusters.spanning_tree failed: 270 rows" in done.stderr
    assert "small.yaml" in done.stderr, "the line that asked for it"
    assert logged(project) == {
        "small": "FAILED",
        "small min_cluster_size=5": "FINISHED",
        "small min_cluster_size=5000": "FAILED",
    }

    def logs():
        return list((project.folder / ".polylens" / "jobs").rglob("*_log.err"))

    assert len(logs()) == 2
    assert project.call("store", "gc", "--yes").returncode == 0
    (of_the_failed,) = logs()
    assert "270 rows" in of_the_failed.read_text()


def test_jobs_that_an_interrupted_command_left_are_found_again(project, slurm, monkeypatch):
    folder = slurm()
    (folder / "asked" / "hold").touch()
    spec = project.spec(**SMALL, layer=["hidden.1", "hidden.2"])
    interrupt_the_wait(monkeypatch)

    left = project.call("run", spec, "--launcher", "slurm")
    assert left.returncode == 130
    assert "2 jobs stay in SLURM's queue and go on without this command" in left.stderr
    assert "scancel 100" in left.stderr

    again = project.call("run", spec, "--launcher", "slurm")
    assert again.returncode == 130
    assert "jobs of an earlier command go on: small layer=hidden.1, small layer=hidden.2" in again.stderr
    assert len(submissions(folder)) == 1


def test_a_job_that_died_fails_its_run_in_our_words_and_is_handed_over_again(project, slurm, monkeypatch):
    folder = slurm(without=("sacct",))
    (folder / "asked" / "die").write_text("OUT_OF_MEMORY")
    monkeypatch.setattr(clusters, "_SECONDS_BETWEEN_QUESTIONS", 0.0)
    monkeypatch.setattr("polylens.jobs.endings._PATIENCE_SECONDS", 0.0)
    spec = project.spec(**SMALL)

    done = project.call("run", spec, "--launcher", "slurm")
    assert done.returncode == 1
    assert "stage job failed: job 100 is unknown to the cluster, and left no result" in done.stderr
    assert "Detected 1 oom_kill event" in done.stderr
    assert "100_0_log.err" in done.stderr
    assert logged(project) == {"small": "FAILED"}

    (folder / "bin" / "sacct").write_text(
        (folder / "bin" / "sbatch").read_text().replace(" sbatch ", " sacct ")
    )
    (folder / "bin" / "sacct").chmod(0o755)
    again = project.call("run", spec, "--launcher", "slurm")
    assert "small: job 100 ended and did not finish it (out_of_memory)" in again.stderr
    assert "job 101 ran out of memory" in again.stderr
    assert "--job mem=64G" in again.stderr
    assert len(submissions(folder)) == 2


def interrupt_the_wait(monkeypatch):
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(launching.time, "sleep", interrupt)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--launcher", "slurm"], "there is no SLURM here: sbatch and srun cannot be found"),
        (["--launcher", "local", "--num-nodes", "2"], "--launcher local has one machine"),
        (["--launcher", "slrm"], "no launcher 'slrm'; did you mean 'slurm'?"),
        (["--launcher", "local", "--job", "tme=3"], "--job tme=3: no such key; did you mean 'time'?"),
        (
            ["--launcher", "local", "--job", "at_once=0"],
            "--job at_once: input should be greater than or equal",
        ),
        (["--job", "time=3"], "--job says what jobs ask for, and none is asked for"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_done(project, monkeypatch, arguments, said):
    monkeypatch.setenv("PATH", "/nowhere")
    done = project.call("run", project.spec(**SMALL), *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (project.folder / ".polylens").exists()


def test_without_the_extra_the_error_says_what_to_install(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    submitit.cache_clear()
    done = project.call("run", project.spec(**SMALL), "--launcher", "slurm")
    assert done.returncode == 2
    assert "pip install 'polylens[slurm]'" in done.stderr


def test_several_machines_are_asked_for_and_the_job_is_one_process_beside_what_it_starts(tmp_path, slurm):
    folder = slurm()
    (folder / "asked" / "hold").touch()
    options = Options(devices=4, num_nodes=2)
    cluster = clusters.Slurm(tmp_path / "jobs", Jobs(options={"reservation": "workshop"}), options)
    errand = Errand(Path("/spec.yaml"), (), "d", tmp_path, options, None)
    (job,) = cluster.hand_over([errand], name="spec")
    (script,) = submissions(folder)
    for asked in ("--nodes=2", "--ntasks-per-node=4", "--reservation=workshop"):
        assert f"#SBATCH {asked}\n" in script
    assert "--nodes=1 --ntasks=1 --overlap" in script
    assert job.submission().function == errand
    assert job.submission().function.checkpoint().function == errand
