"""The settings of one project: flags over environment over `mlflow.yaml` over defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from polylens.errors import Problem, SpecError
from polylens.settings.addresses import (
    AddressError,
    artifact_address,
    folder,
    is_server,
    is_server_of_judges,
    shown_address,
    sqlite_file,
    tracking_address,
)
from polylens.settings.file import NAME, Limits, SettingsFile, read_settings_file
from polylens.settings.jobs import Jobs
from polylens.work import Server

ENVIRONMENT: Mapping[str, str] = {
    "store": "POLYLENS_STORE",
    "tracking_uri": "MLFLOW_TRACKING_URI",
    "artifact_root": "POLYLENS_ARTIFACT_ROOT",
    "experiment_prefix": "POLYLENS_EXPERIMENT_PREFIX",
    "data_roots": "POLYLENS_DATA_ROOTS",
    "ui_host": "POLYLENS_UI_HOST",
    "ui_port": "POLYLENS_UI_PORT",
    "judge_address": "POLYLENS_JUDGE_ADDRESS",
    "judge_key": "POLYLENS_JUDGE_KEY",
}
"""The environment variable of each setting that has one; an empty one counts as unset."""


@dataclass(frozen=True)
class Settings:
    """Where results go and where data lie. Every folder is absolute."""

    project: Path
    """Folder of `mlflow.yaml`, or the working directory where there is none."""
    is_project: bool
    """Whether there is an `mlflow.yaml`."""
    store: Path
    """Folder of stored results."""
    tracking_uri: str
    """Database or server; may hold a secret from the environment, so print `tracking_shown`."""
    artifact_root: str
    """Absolute path or URI; a server ignores it."""
    experiment_prefix: str = ""
    data_roots: tuple[Path, ...] = ()
    """Folders for relative data paths, in the order they are tried; the project comes first."""
    ui_host: str = "127.0.0.1"
    ui_port: int = 5000
    ui_allowed_hosts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    jobs: Jobs = field(default_factory=Jobs)
    """What jobs of a cluster are given."""
    judges: Mapping[str, Server] = field(default_factory=dict)
    """Servers that judges are asked on, by name; a key comes from the environment and is never shown."""
    is_scratch: bool = False
    """Whether nothing is logged: `polylens run --scratch`."""
    notes: tuple[str, ...] = ()
    """Sentences the user should see once, such as that no project was found."""

    @property
    def tracking_shown(self) -> str:
        """The tracking address without password or token."""
        return shown_address(self.tracking_uri)

    @property
    def tracking_is_server(self) -> bool:
        """Whether runs go to an MLflow server, which has a page of its own."""
        return is_server(self.tracking_uri)

    @property
    def database(self) -> Path | None:
        """The SQLite file of runs, None where runs go elsewhere."""
        return sqlite_file(self.tracking_uri)

    def data_root(self, relative: str) -> Path:
        """The first data root that holds `relative`; the project where none does, for the error to name."""
        return next((root for root in self.data_roots if (root / relative).exists()), self.data_roots[0])


def load_settings(
    start: Path, *, environ: Mapping[str, str] = os.environ, flags: Mapping[str, str] | None = None
) -> Settings:
    """The settings that hold at `start`.

    Args:
        start: a file or folder; the nearest folder upwards with an `mlflow.yaml` is the project.
        environ: environment variables; `ENVIRONMENT` lists those that are read.
        flags: values from the command line by setting (`store`, `tracking_uri`, ...); they win.

    Raises:
        SpecError: `mlflow.yaml` or an environment variable is wrong; carries every mistake.
    """
    project = _project(start)
    is_project = (project / NAME).is_file()
    file = read_settings_file(project / NAME) if is_project else SettingsFile()
    given = _Given(environ=environ, flags=flags or {})
    problems: list[Problem] = []

    def address(name: str, text: str) -> str:
        source, value, beside = given.find(name) or ("", text, project)
        read = tracking_address if name == "tracking_uri" else artifact_address
        try:
            return read(value, beside=beside)
        except AddressError as error:
            problems.append(Problem(f"{source}: {error}" if source else f"{name}: {error}"))
            return text

    tracking_uri = address("tracking_uri", file.tracking_uri)
    artifact_root = address("artifact_root", file.artifact_root)
    port = _port(given, file.server.port, problems)
    roots = [folder(root, beside=project) for root in file.data_roots]
    if setting := given.find("data_roots"):
        roots = [folder(root, beside=setting[2]) for root in setting[1].split(os.pathsep) if root]
    store = given.find("store")
    judges = _judges(given, file, problems)
    if problems:
        raise SpecError(problems)
    return Settings(
        project=project,
        is_project=is_project,
        store=folder(store[1], beside=store[2]) if store else project / ".polylens",
        tracking_uri=tracking_uri,
        artifact_root=artifact_root,
        experiment_prefix=given.text("experiment_prefix", file.experiment_prefix),
        data_roots=tuple(dict.fromkeys([project, *roots])),
        ui_host=given.text("ui_host", file.server.host),
        ui_port=port,
        ui_allowed_hosts=tuple(file.server.allowed_hosts),
        limits=file.limits,
        jobs=file.jobs,
        judges=judges,
        notes=() if is_project else (f"no {NAME} here or above; results go to {project}",),
    )


@dataclass(frozen=True)
class _Given:
    """What the command line and the environment say."""

    environ: Mapping[str, str]
    flags: Mapping[str, str]

    def find(self, name: str) -> tuple[str, str, Path] | None:
        """Where the setting was given, its text, and the folder its relative paths start from."""
        if name in self.flags:
            return f"--{name.replace('_', '-')}", self.flags[name], Path.cwd()
        if text := self.environ.get(ENVIRONMENT[name], ""):
            return ENVIRONMENT[name], text, Path.cwd()
        return None

    def text(self, name: str, default: str) -> str:
        setting = self.find(name)
        return setting[1] if setting else default


def _project(start: Path) -> Path:
    here = start.resolve()
    folders = [here, *here.parents] if here.is_dir() else list(here.parents)
    return next((path for path in folders if (path / NAME).is_file()), Path.cwd().resolve())


def _port(given: _Given, default: int, problems: list[Problem]) -> int:
    setting = given.find("ui_port")
    if setting is None:
        return default
    if setting[1].isdecimal() and 1 <= int(setting[1]) <= 65535:
        return int(setting[1])
    problems.append(Problem(f"{setting[0]}: '{setting[1]}' is no port; use a number from 1 to 65535"))
    return default


def _judges(given: _Given, file: SettingsFile, problems: list[Problem]) -> dict[str, Server]:
    """The servers of `mlflow.yaml`, and the one called `default` that the environment names."""
    servers = {
        name: Server(each.address, given.environ.get(each.key_variable, "") if each.key_variable else "")
        for name, each in file.judges.items()
    }
    default = servers.get("default", Server(""))
    address = given.text("judge_address", default.address)
    if not address:
        return servers
    if not is_server_of_judges(address):
        # Not shown: it may hold a secret.
        problems.append(
            Problem(
                f"{ENVIRONMENT['judge_address']} is no address of a server, such as http://127.0.0.1:8000/v1"
            )
        )
    # Another server is not sent the key that `mlflow.yaml` means for its own.
    key = default.key if address == default.address else ""
    return {**servers, "default": Server(address, given.text("judge_key", key))}
