"""Finished runs, read from MLflow's SQLite file without MLflow.

Importing MLflow and opening its database takes seconds, and a command that finds everything stored and
logged has nothing to write. Whatever is in doubt here (another database, a locked file, tables of another
shape, a run that did not come to its end) is left to MLflow itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 1
_MATCHING = """
    SELECT runs.run_uuid, runs.experiment_id, runs.status
    FROM runs
    JOIN experiments ON experiments.experiment_id = runs.experiment_id
    JOIN tags ON tags.run_uuid = runs.run_uuid
    WHERE experiments.name = ? AND experiments.lifecycle_stage = 'active'
      AND runs.lifecycle_stage = 'active' AND tags.key = ? AND tags.value = ?
    ORDER BY runs.start_time ASC
"""


@dataclass(frozen=True)
class KnownRun:
    """A run as MLflow has it."""

    run_id: str
    experiment_id: str
    status: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    @classmethod
    def from_mlflow(cls, run: Any) -> KnownRun:
        """The run of an `mlflow.entities.Run`."""
        info, data = run.info, run.data
        return cls(
            str(info.run_id), str(info.experiment_id), info.status, data.params, data.metrics, data.tags
        )


def finished_run(
    database: Path, *, experiment: str, tag: tuple[str, str], parent: tuple[str, str | None]
) -> KnownRun | None:
    """The finished run of a digest, or None where there is none or MLflow must be asked.

    Args:
        database: MLflow's SQLite file; it is not written to.
        experiment: name of the experiment; one that was deleted has no runs.
        tag: key and value that the run has.
        parent: key of the tag that names a parent run, and its value; None for a run that has no such tag.
    """
    if not database.is_file():
        return None
    try:
        address = f"{database.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_SECONDS)) as connection:
            for run_id, experiment_id, status in connection.execute(_MATCHING, (experiment, *tag)).fetchall():
                tags = _pairs(connection, "SELECT key, value FROM tags WHERE run_uuid = ?", run_id)
                if tags.get(parent[0]) != parent[1]:
                    continue
                if status != "FINISHED":
                    return None
                params = _pairs(connection, "SELECT key, value FROM params WHERE run_uuid = ?", run_id)
                metrics = _pairs(
                    connection, "SELECT key, value FROM latest_metrics WHERE run_uuid = ?", run_id
                )
                return KnownRun(run_id, str(experiment_id), status, params, metrics, tags)
    except sqlite3.Error:
        return None
    return None


def _pairs(connection: sqlite3.Connection, query: str, run_id: str) -> dict[str, Any]:
    return dict(connection.execute(query, (run_id,)).fetchall())
