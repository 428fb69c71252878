"""Settings: where they are found, what wins over what, and how mistakes are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from polylens.errors import SpecError
from polylens.settings import load_settings

ROOT = Path(__file__).parents[2]


def write(folder: Path, text: str) -> Path:
    (folder / "mlflow.yaml").write_text(text, encoding="utf-8")
    return folder


def problems(folder: Path, text: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load_settings(write(folder, text), environ={})
    return caught.value


def test_an_empty_file_gives_the_defaults_beside_it(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, ""), environ={})
    assert settings.is_project
    assert settings.project == tmp_path
    assert settings.store == tmp_path / ".polylens"
    assert settings.tracking_uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert settings.database == tmp_path / "mlflow.db"
    assert settings.artifact_root == str(tmp_path / "mlartifacts")
    assert (settings.ui_host, settings.ui_port) == ("127.0.0.1", 5000)
    assert settings.data_roots == (tmp_path,)


def test_the_committed_file_says_the_defaults(tmp_path: Path) -> None:
    text = (ROOT / "mlflow.yaml").read_text(encoding="utf-8")
    said, default = tmp_path / "said", tmp_path / "default"
    said.mkdir()
    default.mkdir()
    spoken = load_settings(write(said, text), environ={})
    silent = load_settings(write(default, ""), environ={})
    assert spoken.limits == silent.limits
    assert spoken.tracking_uri.replace("said", "default") == silent.tracking_uri
    assert (spoken.ui_host, spoken.ui_port) == (silent.ui_host, silent.ui_port)


def test_the_nearest_file_upwards_marks_the_project(tmp_path: Path) -> None:
    write(tmp_path, "")
    inner = tmp_path / "inner"
    spec = inner / "experiments" / "a.yaml"
    spec.parent.mkdir(parents=True)
    spec.write_text("seed: 0\n")
    assert load_settings(spec, environ={}).project == tmp_path
    write(inner, "")
    assert load_settings(spec, environ={}).project == inner


def test_without_a_project_the_working_directory_is_used_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    settings = load_settings(elsewhere, environ={})
    assert not settings.is_project
    assert settings.project == tmp_path
    assert settings.notes == (f"no mlflow.yaml here or above; results go to {tmp_path}",)


def test_a_flag_wins_over_the_environment_and_the_environment_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    write(project, "tracking_uri: http://file:1\nexperiment_prefix: file/\nserver: {port: 1234}\n")
    environ = {
        "MLFLOW_TRACKING_URI": "http://environment:1",
        "POLYLENS_EXPERIMENT_PREFIX": "environment/",
        "POLYLENS_UI_PORT": "4321",
        "POLYLENS_STORE": "scratch",
        "POLYLENS_ARTIFACT_ROOT": "pictures",
        "POLYLENS_DATA_ROOTS": "one:two",
    }
    settings = load_settings(project, environ=environ, flags={"tracking_uri": "sqlite:///flag.db"})
    assert settings.tracking_uri == f"sqlite:///{tmp_path}/flag.db"
    assert settings.experiment_prefix == "environment/"
    assert settings.ui_port == 4321
    # What is typed is relative to where one stands, what the file says to the file.
    assert settings.store == tmp_path / "scratch"
    assert settings.artifact_root == str(tmp_path / "pictures")
    assert settings.data_roots == (project, tmp_path / "one", tmp_path / "two")


def test_an_empty_environment_variable_counts_as_unset(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, ""), environ={"MLFLOW_TRACKING_URI": "", "POLYLENS_STORE": ""})
    assert settings.database == tmp_path / "mlflow.db"
    assert settings.store == tmp_path / ".polylens"


def test_data_are_looked_for_in_the_project_first(tmp_path: Path) -> None:
    write(tmp_path, "data_roots: [far]\n")
    (tmp_path / "far" / "images").mkdir(parents=True)
    settings = load_settings(tmp_path, environ={})
    assert settings.data_root("images") == tmp_path / "far"
    (tmp_path / "images").mkdir()
    assert settings.data_root("images") == tmp_path
    assert settings.data_root("nowhere") == tmp_path


def test_every_mistake_is_told_with_its_place_and_the_nearest_key(tmp_path: Path) -> None:
    text = "traking_uri: sqlite:///a.db\nserver:\n  prot: 80\n  host: 7\nlimits: {preview_rows: 0}\n"
    found = problems(tmp_path, text).problems
    assert [(p.place.line, p.place.column, p.suggestion) for p in found if p.place] == [
        (1, 1, "tracking_uri"),
        (3, 3, "port"),
        (4, 9, None),
        (5, 24, None),
    ]
    assert found[0].message == "unknown key 'traking_uri'"
    assert found[1].message == "unknown key 'prot' in server"
    assert found[1].notes == ("allowed: allowed_hosts, host, port",)
    assert found[2].message.startswith("server.host:")


@pytest.mark.parametrize(
    "line",
    [
        "tracking_uri: https://anna:hush@host:5000",
        "tracking_uri: https://hush@host:5000",
        "tracking_uri: postgresql://anna:hush@host/runs",
        "tracking_uri: 'postgresql://anna@host/runs?password=hush'",
        "artifact_root: s3://anna:hush@bucket/runs",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, line: str) -> None:
    error = problems(tmp_path, line + "\n")
    (problem,) = error.problems
    assert "holds a password or token" in problem.message
    assert "MLFLOW_TRACKING_PASSWORD" in problem.notes[0]
    assert problem.place is not None
    assert problem.place.line == 1
    assert "hush" not in repr(error.problems)


def test_a_secret_from_the_environment_is_used_and_not_shown(tmp_path: Path) -> None:
    address = "postgresql://anna:hush@host/runs"
    settings = load_settings(write(tmp_path, ""), environ={"MLFLOW_TRACKING_URI": address})
    assert settings.tracking_uri == address
    assert settings.tracking_shown == "postgresql://anna:***@host/runs"


def test_a_folder_of_runs_is_refused_with_what_to_write(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "tracking_uri: mlruns\n").problems
    assert "write sqlite:///mlflow.db" in problem.message
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (1, 15)


def test_a_wrong_environment_variable_is_named(tmp_path: Path) -> None:
    environ = {"MLFLOW_TRACKING_URI": "htpp://host", "POLYLENS_UI_PORT": "many"}
    with pytest.raises(SpecError) as caught:
        load_settings(write(tmp_path, ""), environ=environ)
    first, second = (problem.message for problem in caught.value.problems)
    assert first == "MLFLOW_TRACKING_URI: no tracking store named 'htpp:'; did you mean 'http'?"
    assert second == "POLYLENS_UI_PORT: 'many' is no port; use a number from 1 to 65535"


def test_broken_yaml_is_told_with_its_place(tmp_path: Path) -> None:
    place = problems(tmp_path, "server:\n\tport: 1\n").problems[0].place
    assert place is not None
    assert place.line == 2
    assert problems(tmp_path, "- a\n").problems[0].place is not None


def test_comments_alone_are_an_empty_file(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "# here\n\n  # too\n"), environ={}).is_project


def test_settings_import_neither_mlflow_nor_torch() -> None:
    code = (
        "import sys, pathlib; from polylens.settings import load_settings; load_settings(pathlib.Path('.'));"
        "import polylens.tracking; print([m for m in ('mlflow', 'torch', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
