"""MLflow's SQLite file before MLflow opens it: made where there is none, refused where it cannot be used.

MLflow makes a database in some seventy steps, and a process that dies between two of them leaves a file that
neither MLflow nor its upgrade can open again. So a database is made in a folder beside and moved into
place whole; and one that was left half made, and holds nothing, is put aside.
"""

from __future__ import annotations

import glob
import shlex
import shutil
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from polylens.store.files import sync
from polylens.tracking.faults import AwayError, RefusedError
from polylens.tracking.revisions import is_current, is_older, refusal

_SEEDED = {"experiments": "name != 'Default'", "workspaces": "name != 'default'"}
"""Tables that MLflow fills by itself, and which of their rows it did not write."""
_REMAKING = "_alembic_tmp_"
"""Names of tables start like this while a migration writes them anew."""
_COMPANIONS = ("-journal", "-wal", "-shm")
_PATIENCE_SECONDS = 5
_STILL_SECONDS = 2.0
"""A database that nobody writes to for so long is not being made: a step takes a fraction of that."""


def make_ready(file: Path) -> Path | None:
    """Makes the database where there is none; the caller keeps every other process from it meanwhile.

    Returns:
        Where a half-made database without any run was put aside, None where there was none.

    Raises:
        AwayError: another program has locked it or is making it.
        RefusedError: it cannot be written, or another MLflow or another program made it; says what to do.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # A process that died may have left one before the database was in its place, and behind it.
        for left in file.parent.glob(f"{glob.escape(_being_made(file))}*"):
            shutil.rmtree(left, ignore_errors=True)
        if not file.exists() or file.stat().st_size == 0:
            _put_aside(file)
            _make(file)
            return None
        _check_writable(file)
        contents = _contents(file)
        if is_current(contents.revision):
            return None
        is_unfinished = contents.revision is None or is_older(contents.revision)
        if contents.filled or not is_unfinished:
            raise _refusal_error(file, contents)
        _wait_for_its_maker(file)
        aside = _put_aside(file)
        _make(file)
        return aside
    except (OSError, sqlite3.Error) as error:
        if "locked" in str(error):
            raise AwayError(f"{file} is locked by another program") from error
        if "not a database" in str(error) or "malformed" in str(error):
            raise RefusedError(
                f"cannot use the database {file}: {error}",
                hint="if it is a broken database of runs, put back a copy; otherwise set tracking_uri in "
                "mlflow.yaml, or MLFLOW_TRACKING_URI, to another file",
            ) from error
        raise RefusedError(
            f"cannot write the database {file}: {error}",
            hint="set tracking_uri in mlflow.yaml, or MLFLOW_TRACKING_URI, to a place that can be written",
        ) from error


@dataclass(frozen=True)
class _Contents:
    """What is in a database, as far as it decides whether it can be used."""

    revision: str | None
    tables: frozenset[str]
    filled: frozenset[str]
    """Tables with rows that MLflow does not write by itself."""


def _check_writable(file: Path) -> None:
    with closing(sqlite3.connect(file, timeout=_PATIENCE_SECONDS)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        # Of a file that may only be read SQLite begins such a transaction too, and refuses the first write.
        connection.execute(f"PRAGMA user_version = {number}")
        connection.rollback()


def _contents(file: Path) -> _Contents:
    with closing(sqlite3.connect(file, timeout=_PATIENCE_SECONDS)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        revision = None
        if "alembic_version" in names:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            revision = None if row is None else str(row[0])
        if is_current(revision):
            return _Contents(revision, frozenset(names), frozenset())
        tables = [name for name in names if name != "alembic_version" and not name.startswith("sqlite_")]
        filled = [name for name in tables if _is_filled(connection, name)]
    return _Contents(revision, frozenset(tables), frozenset(filled))


def _is_filled(connection: sqlite3.Connection, table: str) -> bool:
    own = _SEEDED.get(table.removeprefix(_REMAKING), "true")
    quoted = table.replace('"', '""')
    return connection.execute(f'SELECT 1 FROM "{quoted}" WHERE {own} LIMIT 1').fetchone() is not None


def _refusal_error(file: Path, contents: _Contents) -> RefusedError:
    what, backup = f"the database {file}", shlex.join(["cp", str(file), f"{file}.backup"])
    if not {"experiments", "runs"} <= contents.tables:
        tables = ", ".join(sorted(contents.tables)[:3])
        return RefusedError(
            f"{what} is another program's: its tables ({tables}, ...) are not MLflow's",
            hint="set tracking_uri in mlflow.yaml, or MLFLOW_TRACKING_URI, to a file of its own",
        )
    is_cut_short = any(name.startswith(_REMAKING) for name in contents.tables)
    return refusal(
        None if is_cut_short else contents.revision,
        what=what,
        address=f"sqlite:///{file}",
        backup=f"keep a copy ({backup})",
    )


def _wait_for_its_maker(file: Path) -> None:
    """Lets a program alone that knows nothing of our lock, such as MLflow's own server."""
    before = _mark(file)
    time.sleep(_STILL_SECONDS)
    if _mark(file) != before:
        raise AwayError(f"another program is making the database {file}")


def _mark(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_mtime_ns, status.st_size


def _put_aside(file: Path) -> Path | None:
    """Moves a file without runs away, with what SQLite keeps beside it.

    A journal that stayed would be played back into the next database of that name.
    """
    aside = file.with_name(f"{file.name}.unfinished-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%f')}")
    moved = [ending for ending in ("", *_COMPANIONS) if file.with_name(file.name + ending).exists()]
    for ending in moved:
        file.with_name(file.name + ending).rename(aside.with_name(aside.name + ending))
    return aside if moved else None


def _make(file: Path) -> None:
    """Makes the database in a folder beside its place and moves it there, whole and on the disk."""
    folder = Path(tempfile.mkdtemp(prefix=_being_made(file), dir=file.parent))
    try:
        made, whole = folder / file.name, folder / "whole"
        _migrate(made)
        with closing(sqlite3.connect(made)) as connection:
            # MLflow keeps its connection to the file it made; nothing is connected to this copy.
            connection.execute("VACUUM INTO ?", [str(whole)])
        sync(whole)
        whole.replace(file)
        sync(file.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _being_made(file: Path) -> str:
    """How folders begin in which a database is made."""
    return f".{file.name}.making-"


def _migrate(file: Path) -> None:
    from mlflow.tracking import MlflowClient

    with warnings.catch_warnings(), _without_syncing(file):
        warnings.simplefilter("ignore")
        MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments(max_results=1)


@contextmanager
def _without_syncing(file: Path) -> Iterator[None]:
    """Spares this file some thousand waits for the disk: until it is whole, nobody misses it."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def hasten(connection: Any, _record: object) -> None:
        rows = connection.execute("PRAGMA database_list").fetchall() if _is_sqlite(connection) else []
        if any(row[2] == str(file) for row in rows):
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")

    event.listen(Engine, "connect", hasten)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hasten)


def _is_sqlite(connection: object) -> bool:
    return isinstance(connection, sqlite3.Connection)
