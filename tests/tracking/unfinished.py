"""Databases as MLflow leaves them when its process dies: copies made between the steps of one real making."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

_EVERY = 40
"""Statements between two copies; there are some thousand in all."""


def unfinished_databases(folder: Path) -> list[Path]:
    """Copies of a database that MLflow is making, with their journals, in the order they were taken."""
    from mlflow.tracking import MlflowClient

    made, copies = folder / "made.db", []
    with _copied(made, folder, copies):
        MlflowClient(f"sqlite:///{made}").search_experiments(max_results=1)
    return copies


@contextmanager
def _copied(made: Path, folder: Path, copies: list[Path]) -> Iterator[None]:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    count = 0

    def hasten(connection: Any, _record: object) -> None:
        # Waiting for the disk is no part of what is copied.
        connection.execute("PRAGMA synchronous = OFF")

    def copy(*_: object) -> None:
        nonlocal count
        count += 1
        if count % _EVERY == 0 and made.exists():
            copy = folder / f"{count:05}.db"
            shutil.copy(made, copy)
            journal = made.with_name("made.db-journal")
            if journal.exists():
                shutil.copy(journal, copy.with_name(f"{copy.name}-journal"))
            copies.append(copy)

    event.listen(Engine, "connect", hasten)
    event.listen(Engine, "after_cursor_execute", copy)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hasten)
        event.remove(Engine, "after_cursor_execute", copy)


def revision_of(file: Path) -> str | None:
    """What stands in a database's `alembic_version`; None where nothing does."""
    with closing(sqlite3.connect(file)) as connection:
        try:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return None if found is None else str(found[0])


def add_a_run(file: Path) -> None:
    """Writes one run into a database of any of MLflow's revisions."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(
            "INSERT OR IGNORE INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
            "VALUES (1, 'old', 'file:///tmp/none', 'active')"
        )
        connection.execute(
            "INSERT INTO runs (run_uuid, name, experiment_id, status, lifecycle_stage, source_type) "
            "VALUES ('abc', 'kept', 1, 'FINISHED', 'active', 'LOCAL')"
        )
        connection.commit()
