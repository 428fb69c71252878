"""The connection to MLflow: a client for an address, and its many errors as two of ours."""

from __future__ import annotations

import logging
import os
import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from polylens.errors import TrackingError
from polylens.memory import for_good
from polylens.progress import Progress
from polylens.tracking.databases import make_ready
from polylens.tracking.faults import AwayError, RefusedError
from polylens.tracking.revisions import refusal

_DEFAULT_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_PATIENCE_SECONDS = 5
_REVISION = re.compile(r"found version (\w+),|Can't locate revision identified by '(\w+)'")
"""How MLflow and its migrations say that another version of MLflow made a database."""
_ENVIRONMENT = {
    # An absent server must cost seconds; MLflow's own defaults wait for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Files are fetched one by one; a bar for each would bury what is printed.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Experiments are nobody else's business: MLflow reports usage to its makers unless told not to.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def connect(address: str, *, database: Path | None, progress: Progress) -> Any:
    """An `MlflowClient` for the address, with a SQLite file created where it is missing.

    Raises:
        AwayError: nothing answers there now.
        RefusedError: what is there cannot be used; says why and what to do.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if database is None:
        _check_database_server(address)
    with for_good(), translate_errors():
        from mlflow.tracking import MlflowClient

        _quieten()
        if database is not None and (aside := make_ready(database)) is not None:
            progress.note(
                f"{database} was never finished and held no runs: made anew, the old one is {aside}"
            )
        client = MlflowClient(tracking_uri=address, registry_uri=address)
        # The first call opens the store.
        client.search_experiments(max_results=1)
        return client


@contextmanager
def translate_errors() -> Iterator[None]:
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
        revision = _REVISION.search(str(error))
        if revision is not None:
            database_revision = revision[1] or revision[2]
            raise refusal(
                None if database_revision == "None" else database_revision,
                what="the database",
                address="ADDRESS",
                backup="keep a copy of it",
            ) from error
        hint = _hint(status, reason)
        if hint is None and _may_pass(error, status):
            raise AwayError(reason) from error
        raise RefusedError(reason, hint=hint) from error


def _may_pass(error: Exception, status: int | None) -> bool:
    """Whether the same may work later, with nothing mended."""
    if "(sqlite3." in str(error):
        # A file beside the program does not come back by itself, unless somebody else was writing to it.
        return "locked" in str(error)
    if isinstance(error, OSError):
        return not isinstance(
            error, PermissionError | FileNotFoundError | IsADirectoryError | NotADirectoryError
        )
    is_operational = type(error).__name__ in ("OperationalError", "InterfaceError")
    return is_operational or (status is not None and (status >= 500 or status in (408, 429)))


def _hint(status: int | None, reason: str) -> str | None:
    if status in (401, 403):
        return "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    if status == 404 and "/api/2.0/mlflow" in reason:
        return "something else than an MLflow server answers at this address"
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
