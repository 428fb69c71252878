"""A program for a test: kills whole runs of a small spec at given moments, and gives the same command again.

Prints as JSON what an undisturbed run left, and what each of the others did.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.killing import exit_code, forked, kill
from tests.projects import Project

from polylens.memory import own_process

_SEED = 7
_CHANGES: dict[str, Any] = {
    "analyses": {
        "clusters": {"kind": "kmeans", "on": "activation", "clusters": 3, "restarts": 1, "subsamples": 0},
        "quality": {"kind": "cluster_quality", "of": "clusters"},
    },
    "controls": [{"kind": "random_init", "draws": 1}],
    "labels": {"digits": {"kind": "class_enrichment", "of": "clusters", "permutations": 100}},
}
"""What makes the small spec of the tests smaller, and leaves every kind of stage in it."""


def put_spec(project: Project) -> Path:
    """The project's spec, written unless it is there: another run may be reading it."""
    there = project.folder / "experiments" / "tests" / "small.yaml"
    return there if there.exists() else project.spec(there.name, **_CHANGES)


def run(project: Project, *more: str) -> None:
    """`polylens run`, in this process."""
    from polylens.cli import main

    os.chdir(project.folder)
    code = main(["run", str(put_spec(project)), "--quiet", "--limit", "120", *more])
    assert code == 0, code


def remains(project: Project) -> dict[str, Any]:
    """What is in MLflow and what waits for it: everything that a kill could have doubled or lost."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    runs = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    points = {
        key: len(client.get_metric_history(run.info.run_id, key)) for run in runs for key in run.data.metrics
    }
    files = [
        str(path.relative_to(run.info.artifact_uri.removeprefix("file://")))
        for run in runs
        for path in Path(run.info.artifact_uri.removeprefix("file://")).rglob("*")
        if path.is_file()
    ]
    return {
        "runs": [run.info.status for run in runs],
        "metrics": sorted(key for run in runs for key in run.data.metrics),
        "points": {key: count for key, count in points.items() if count != 1},
        "files": sorted(files),
        "tables": {name: sha256(content).hexdigest() for name, content in project.tables().items()},
        "inputs": sum(len(run.inputs.dataset_inputs) for run in runs),
        "kept": [str(path) for path in project.folder.glob(".polylens/kept/*/*")],
    }


def main(root: Path, n_kills: int) -> None:
    """Kills at so many random moments, each run in a project of its own."""

    def project(name: str) -> Project:
        folder = root / name
        folder.mkdir()
        (folder / "mlflow.yaml").write_text("")
        return Project(folder)

    own_process()
    started = time.monotonic()
    undisturbed = project("undisturbed")
    assert exit_code(forked(lambda: run(undisturbed))) == 0
    seconds = time.monotonic() - started
    draw = random.Random(_SEED)
    # One moment in each of equal parts of the run, so that few moments are spread as well as many.
    moments = [seconds * (index + draw.random()) / n_kills for index in range(n_kills)]
    found = []
    for index, after in enumerate(moments):
        killed = project(f"kill-{index:03}")
        met = kill(forked(lambda killed=killed: run(killed)), after=after)
        again = exit_code(forked(lambda killed=killed: run(killed)))
        found.append({"after": after, "killed": met, "exit": again, "remains": remains(killed)})
    print(json.dumps({"seconds": seconds, "undisturbed": remains(undisturbed), "kills": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
