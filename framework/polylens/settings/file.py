"""`mlflow.yaml`: what may stand in it, and every mistake in it with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from polylens.errors import Problem, SpecError, nearest, shown_path
from polylens.reading import Document, read
from polylens.settings.addresses import (
    AddressError,
    artifact_address,
    has_secret,
    is_server_of_judges,
    tracking_address,
)
from polylens.settings.jobs import Jobs

NAME = "mlflow.yaml"
JUDGES = "judges"
_JUDGE_NOTE = (
    "a server has an address, such as http://127.0.0.1:8000/v1, and key_variable, the name of the "
    "environment variable that holds its key; the key itself stands in no file"
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Server(_Section):
    """Where `polylens ui` listens."""

    host: str = "127.0.0.1"
    """Network address. Any but this machine's own lets others read and delete runs: MLflow has no login."""
    port: Annotated[int, Field(ge=1, le=65535)] = 5000
    """Port; where it is taken, the next free one is used."""
    allowed_hosts: list[str] = []
    """Further names a browser may call this server by, such as `lab-machine:5000`."""


class Limits(_Section):
    """How much of a result the MLflow page is given to show. Whole tables are kept as Parquet in any case."""

    preview_rows: Annotated[int, Field(ge=1)] = 1000
    """Rows of a table's CSV preview."""
    preview_bytes: Annotated[int, Field(ge=1000, le=2_000_000)] = 900_000
    """Bytes of a table's CSV preview; MLflow's page gives up on larger ones."""
    report_bytes: Annotated[int, Field(ge=1000)] = 50_000_000
    """Bytes of a report above which MLflow's page offers a download only; polylens says so."""


class JudgeServer(_Section):
    """A server that labels and scores are judged on."""

    address: str
    """Where it speaks OpenAI's protocol, such as `http://127.0.0.1:8000/v1`; no key and no password."""
    key_variable: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""
    """Name of the environment variable that holds its key; empty where it asks for none."""


class SettingsFile(_Section):
    """The keys of `mlflow.yaml`, each with a default."""

    tracking_uri: str = "sqlite:///mlflow.db"
    """A database or an MLflow server; a relative SQLite file lies beside `mlflow.yaml`."""
    artifact_root: str = "mlartifacts"
    """Folder (relative to `mlflow.yaml`) or URI for artifacts. An MLflow server ignores this."""
    experiment_prefix: str = ""
    """Put before the name of every MLflow experiment, such as `anna/`."""
    data_roots: list[str] = []
    """Folders in which relative data paths of specs are looked for, after the project itself."""
    server: Server = Server()
    limits: Limits = Limits()
    jobs: Jobs = Jobs()
    judges: dict[str, JudgeServer] = {}
    """Servers for judges, by the name that specs give; the one called `default` needs no name there."""


def read_settings_file(path: Path) -> SettingsFile:
    """The contents of one `mlflow.yaml`.

    Raises:
        SpecError: every mistake in it, each with line, column and the nearest valid key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError([Problem(message=f"cannot read {path}: {error}")]) from error
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        # Every key has a default: an empty file marks a project and is no mistake, as an empty spec would be.
        return SettingsFile()
    document = read(text, file=shown_path(path))
    value = cast("dict[str, Any]", document.value)
    problems: list[Problem] = []
    settings = SettingsFile()
    try:
        settings = SettingsFile.model_validate(value)
    except ValidationError as error:
        problems += [_problem(details, document) for details in error.errors(include_url=False)]
    problems += _address_problems(value, document)
    for name, judge in settings.judges.items():
        if not is_server_of_judges(judge.address):
            where = (JUDGES, name, "address")
            message = f"{'.'.join(where)} is no address of a server"
            problems.append(_unshown(document, where, message, _JUDGE_NOTE))
    if problems:
        raise SpecError(
            sorted(
                problems,
                key=lambda problem: (problem.place.line, problem.place.column) if problem.place else (0, 0),
            )
        )
    return settings


def _problem(details: ErrorDetails, document: Document) -> Problem:
    path = tuple(details["loc"])
    dotted = ".".join(map(str, path))
    if path[:1] == (JUDGES,):
        # Its lines are not shown: a key may have been written there.
        return _unshown(
            document, path, f"{dotted}: {details['msg'][:1].lower()}{details['msg'][1:]}", _JUDGE_NOTE
        )
    if details["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        return Problem(
            message=f"unknown key '{path[-1]}'" + (f" in {dotted.rpartition('.')[0]}" if path[1:] else ""),
            place=document.place(path, key=True),
            path=dotted,
            suggestion=nearest(str(path[-1]), known),
            notes=(f"allowed: {', '.join(known)}",),
        )
    message = details["msg"][:1].lower() + details["msg"][1:]
    return Problem(message=f"{dotted}: {message}", place=document.place(path, key=False), path=dotted)


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    model: type[BaseModel] = SettingsFile
    for part in path:
        annotation: Any = model.model_fields[str(part)].annotation
        model = annotation
    return sorted(model.model_fields)


def _address_problems(value: dict[str, Any], document: Document) -> list[Problem]:
    problems = []
    for key, read_address in (("tracking_uri", tracking_address), ("artifact_root", artifact_address)):
        text = value.get(key)
        if not isinstance(text, str):
            continue
        place = document.place((key,), key=False)
        if has_secret(text):
            # The line itself holds the secret, so it is not shown.
            problems.append(
                _unshown(
                    document,
                    (key,),
                    f"{key} holds a password or token; mlflow.yaml is committed and read by others",
                    "put it into MLflow's own environment variables: MLFLOW_TRACKING_URI, or "
                    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
                )
            )
            continue
        try:
            read_address(text, beside=Path("/"))
        except AddressError as error:
            problems.append(Problem(message=f"{key}: {error}", place=place, path=key))
    return problems


def _unshown(document: Document, path: tuple[str | int, ...], message: str, note: str) -> Problem:
    """A problem that says its line and does not show it."""
    place = document.place(path, key=False)
    bare = type(place)(file=place.file, line=place.line, column=place.column)
    return Problem(message=message, place=bare, path=".".join(map(str, path)), notes=(note,))
