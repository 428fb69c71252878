"""A project with two finished runs, for tests of keeping house."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.projects import Project

# Nothing is trained: 270 images, 8 units.
SMALL = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [8, 8], "classes": 10},
    "controls": None,
    "labels": None,
    "code": None,
    "analyses": {
        "groups": {"kind": "kmeans", "on": "activation", "clusters": 3, "restarts": 1, "subsamples": 0}
    },
}


@dataclass(frozen=True)
class House:
    """A project, its spec, and what was run."""

    project: Project
    spec: Path
    three: dict[str, Any]
    """The run with three clusters, as `run --json` prints it."""
    four: dict[str, Any]
    """The run with four, on the same rows."""

    @property
    def client(self) -> Any:
        """MLflow's own client."""
        from mlflow import MlflowClient

        return MlflowClient(f"sqlite:///{self.project.folder / 'mlflow.db'}")
