"""The connection to MLflow: a client for an address, and its many errors as two of ours."""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from polylens.errors import TrackingError

_DEFAULT_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_PATIENCE_SECONDS = 5
_ENVIRONMENT = {
    # An absent server must cost seconds; MLflow's own defaults wait for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Experiments are nobody else's business: MLflow reports usage to its makers unless told not to.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


class AwayError(TrackingError):
    """The server or database cannot be reached now; the same may work later."""


class RefusedError(TrackingError):
    """The server or database answered, and said no."""


def connect(address: str, *, database: Path | None) -> Any:
    """An `MlflowClient` for the address, with a SQLite file created where it is missing.

    Raises:
        AwayError: nothing answers there now.
        RefusedError: what is there cannot be used; says why and what to do.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if database is not None:
        _check_sqlite(database)
    else:
        _check_database_server(address)
    with translated():
        from mlflow.tracking import MlflowClient

        _quieten()
        client = MlflowClient(tracking_uri=address, registry_uri=address)
        # The first call opens the store, which creates and migrates a new database.
        client.search_experiments(max_results=1)
        return client


@contextmanager
def translated() -> Iterator[None]:
    """Turns whatever MLflow raises into `AwayError` or `RefusedError`, and drops what it warns of.

    Its warnings are about MLflow's own use of SQLAlchemy and Starlette, which nobody here can change.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except TrackingError:
        raise
    except ModuleNotFoundError as error:
        raise RefusedError(f"a package is missing: {error.name}", hint=f"pip install {error.name}") from error
    except Exception as error:
        status = getattr(error, "get_http_status_code", lambda: None)()
        reason = _reason(error)
        hint = _hint(status, reason)
        if hint is None and (isinstance(error, OSError) or _is_operational(error) or _passes(status)):
            raise AwayError(reason) from error
        raise RefusedError(reason, hint=hint) from error


def _passes(status: int | None) -> bool:
    return status is not None and (status >= 500 or status in (408, 429))


def _is_operational(error: Exception) -> bool:
    return type(error).__name__ in ("OperationalError", "InterfaceError")


def _hint(status: int | None, reason: str) -> str | None:
    if status in (401, 403):
        return "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    if status == 404 and "/api/2.0/mlflow" in reason:
        return "something else than an MLflow server answers at this address"
    if "out-of-date database schema" in reason or "Can't locate revision" in reason:
        return "another version of MLflow made this database: back it up, then run `mlflow db upgrade` on it"
    return None


_NO_ANSWER = {
    "connection refused": "connection refused",
    "failed to resolve": "no such host",
    "timed out": "no answer in time",
    "timeout exception": "no answer in time",
    "remote end closed": "connection closed",
    "connection reset": "connection closed",
}
"""What MLflow's long sentences about absent servers come down to."""


def _reason(error: Exception) -> str:
    """The error in one line."""
    for sign, words in _NO_ANSWER.items():
        if sign in str(error).lower():
            return words
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _check_sqlite(file: Path) -> None:
    """Finds at once what MLflow would retry for minutes: a file that cannot be written or is no database."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=_PATIENCE_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    except (OSError, sqlite3.Error) as error:
        if "locked" in str(error):
            raise AwayError(f"{file} is locked by another program") from error
        raise RefusedError(
            f"cannot write the database {file}: {error}",
            hint="set tracking_uri in mlflow.yaml, or MLFLOW_TRACKING_URI, to a place that can be written",
        ) from error


def _check_database_server(address: str) -> None:
    parts = urlsplit(address)
    port = _DEFAULT_PORTS.get(parts.scheme.partition("+")[0])
    if port is None or not parts.hostname:
        return
    try:
        socket.create_connection((parts.hostname, parts.port or port), timeout=_PATIENCE_SECONDS).close()
    except OSError as error:
        raise AwayError(f"no database answers at {parts.hostname}:{parts.port or port}: {error}") from error


def _quieten() -> None:
    """Keeps log lines of MLflow, its migrations and its retries off the terminal; errors are exceptions."""
    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        logging.getLogger("mlflow").setLevel(logging.CRITICAL)
        logging.getLogger("alembic").setLevel(logging.CRITICAL)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.CRITICAL)
