"""A project with a fresh database, what is said while tracking, and MLflow's own server on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.mlflow_database import NAME, put_database

from polylens.progress import Silent
from polylens.settings import Settings
from polylens.tracking import Tracker


class Said(Silent):
    """Progress that remembers its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


class Server:
    """A real `mlflow server`, which can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)),
                *("--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder}/{NAME}"),
                *("--artifacts-destination", str(self.folder / "artifacts")),
            ],
            env=os.environ
            | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with suppress(OSError), closing(opener.open(f"{self.uri}/health", timeout=5)):
                return
            time.sleep(0.1)
        raise RuntimeError("mlflow server did not start")

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database without runs, made once: its migrations take a second."""
    folder = tmp_path_factory.mktemp("database")
    Tracker(settings_at(folder)).prepare_database()
    return folder / "mlflow.db"


@pytest.fixture
def settings(tmp_path: Path, empty_database: Path) -> Settings:
    """Settings of a project whose database is ready."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return settings_at(tmp_path)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with an own database and artifact folder, for experiments of several names."""
    folder = tmp_path_factory.mktemp("server")
    put_database(folder)
    running = Server(folder)
    running.start()
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def mlflow_client() -> Callable[[Settings], Any]:
    """MLflow's own client, to look at what was logged from outside."""

    def client(settings: Settings) -> Any:
        from mlflow.tracking import MlflowClient

        return MlflowClient(tracking_uri=settings.tracking_uri)

    return client


def settings_at(folder: Path, *, tracking_uri: str | None = None) -> Settings:
    if tracking_uri is None and not (folder / NAME).exists():
        put_database(folder)
    return Settings(
        project=folder,
        is_project=True,
        store=folder / ".polylens",
        tracking_uri=tracking_uri or f"sqlite:///{folder}/mlflow.db",
        artifact_root=str(folder / "mlartifacts"),
    )


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """Makes settings for a folder and a tracking address."""
    return settings_at
