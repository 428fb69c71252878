"""A small real project: digits, a network trained in two epochs, SQLite-backed MLflow."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polylens.reading import write

SPEC: dict[str, Any] = {
    "about": "A small study for tests.",
    "claim": "None.",
    "seed": 0,
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16, 16], "classes": 10, "training": {"epochs": 2}},
    "layer": "hidden.2",
    "dataset": {"kind": "digits", "split": "test"},
    "code": {"kind": "sign", "units": "own", "positions": "same"},
    "controls": ["random_init"],
    "analyses": {
        "clusters": {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 2},
        "quality": {"kind": "cluster_quality", "of": "clusters"},
        "codes": {"kind": "code_statistics"},
    },
    "labels": {"digits": {"kind": "class_enrichment", "of": "clusters", "permutations": 100}},
}


@dataclass(frozen=True)
class Project:
    """A folder with an `mlflow.yaml` and specs, and polylens's command line in processes of its own."""

    folder: Path

    def spec(self, name: str = "small.yaml", **changes: Any) -> Path:
        """Writes a spec: the small one with top-level keys replaced, or removed by None."""
        plain = copy.deepcopy(SPEC) | changes
        path = self.folder / "experiments" / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write({key: value for key, value in plain.items() if value is not None}))
        return path

    def command(self, *arguments: str | Path) -> list[str]:
        """A command line of polylens."""
        return [sys.executable, "-m", "polylens", *map(str, arguments)]

    def call(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs polylens in a process of its own, in the project."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def run(self, *arguments: str | Path) -> list[dict[str, Any]]:
        """`polylens run --json`, which must succeed."""
        done = self.call("run", "--json", *arguments)
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
