"""A small real project: digits, a network trained in two epochs, SQLite-backed MLflow."""

from __future__ import annotations

import copy
import io
import json
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.forking import Forks
from tests.shapes import unchecked

from polylens.cli import main
from polylens.reading import write

SPEC: dict[str, Any] = {
    "about": "A small study for tests.",
    "claim": "None.",
    "seed": 0,
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16, 16], "classes": 10, "training": {"epochs": 2}},
    "layer": "hidden.2",
    "dataset": {"kind": "digits", "split": "test", "test_fraction": 0.15},
    "code": {"kind": "sign", "units": "own", "positions": "same"},
    "controls": [{"use": "random_init", "draws": 1}],
    "analyses": {
        "clusters": {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 2},
        "quality": {"kind": "cluster_quality", "of": "clusters"},
        "codes": {"kind": "code_statistics"},
    },
    "labels": {"digits": {"kind": "class_enrichment", "of": "clusters", "permutations": 100}},
}


@dataclass(frozen=True)
class Done:
    """How a command line ended: its exit code, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Project:
    """A folder with an `mlflow.yaml` and specs, and polylens's command line."""

    folder: Path

    def spec(self, name: str = "small.yaml", **changes: Any) -> Path:
        """Writes a spec: the small one with top-level keys replaced, or removed by None."""
        plain = copy.deepcopy(SPEC) | changes
        path = self.folder / "experiments" / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write({key: value for key, value in plain.items() if value is not None}))
        return path

    def call_apart(self, ready: Forks, *arguments: str | Path) -> Done:
        """Runs polylens's command line in the project, in a process of its own that imports polylens anew."""
        done = ready.polylens(*map(str, arguments), folder=self.folder, anew=("polylens",))
        return Done(done.returncode, done.stdout, done.stderr)

    def call(self, *arguments: str | Path) -> Done:
        """Runs polylens's command line in the project, in this process but as users run it."""
        out, err, words = io.StringIO(), io.StringIO(), [*map(str, arguments)]
        as_a_process = patch.object(sys, "argv", ["polylens", *words])
        with unchecked(), chdir(self.folder), redirect_stdout(out), redirect_stderr(err), as_a_process:
            code = main(words)
        return Done(code, out.getvalue(), err.getvalue())

    def run(self, *arguments: str | Path) -> list[dict[str, Any]]:
        """`polylens run --json`, which must succeed."""
        return self.runs_of(self.call("run", "--json", *arguments))

    def runs_of(self, done: Done) -> list[dict[str, Any]]:
        """What a `polylens run --json` printed, which must have succeeded."""
        assert done.returncode == 0, done.stderr
        runs: list[dict[str, Any]] = json.loads(done.stdout)["runs"]
        return runs

    def tables(self) -> dict[str, bytes]:
        """Every Parquet table that was logged, by run name and path."""
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{self.folder / 'mlflow.db'}")
        tables = {}
        for experiment in client.search_experiments():
            for run in client.search_runs([experiment.experiment_id]):
                root = Path(run.info.artifact_uri.removeprefix("file://"))
                for path in sorted(root.rglob("*.parquet")):
                    tables[f"{run.info.run_name}/{path.relative_to(root)}"] = path.read_bytes()
        return tables


def ran(run: dict[str, Any]) -> set[str]:
    """Names of the stages of a run that were computed."""
    return {stage["name"] for stage in run["stages"] if stage["status"] == "ran"}
