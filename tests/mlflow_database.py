"""MLflow's database as MLflow makes it, made once a test process: its migrations take a second and a half."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

NAME = "mlflow.db"


def put_database(folder: Path) -> None:
    """Writes an empty, migrated `mlflow.db` into a folder."""
    (folder / NAME).write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        MlflowClient(f"sqlite:///{path}").search_experiments()
        return path.read_bytes()
