"""The wheel holds all that a user needs, and works outside of the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from tests.projects import SPEC

from polylens.reading import write

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[1]
SHIPPED = (
    "registry/models/digits-mlp.yaml",
    "registry/schema/experiment.schema.json",
    "experiments/digits/mlp-clusters.yaml",
    "experiments/googlenet/image-folder.yaml",
)


class Installed:
    """An environment with the wheel in it, and a folder that knows nothing of the repository."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.python = python
        self.folder = folder

    def call(self, *arguments: str | Path) -> str:
        """What a command of the environment's Python prints."""
        # Neither the repository nor settings of the one who runs the tests may be found.
        hidden = ("PYTHONPATH", "POLYLENS_STORE", "MLFLOW_TRACKING_URI", "POLYLENS_ARTIFACT_ROOT")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        command = [self.python, *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def polylens(self, *arguments: str | Path) -> str:
        """What `polylens ...` prints."""
        return self.call(self.python.parent / "polylens", *arguments)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    root = tmp_path_factory.mktemp("installed")
    venv.create(root / "venv", symlinks=True, with_pip=False)
    python = root / "venv" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = root / "venv" / "lib" / version / "site-packages"
    pip = ["-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet", str(wheel)]
    subprocess.run([sys.executable, *pip], check=True, timeout=300)
    # Dependencies come from this environment. A path added so is not searched for further .pth files: an
    # editable polylens of this environment stays unseen, and the wheel's own package comes before.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    folder = root / "elsewhere"
    folder.mkdir()
    return Installed(python, folder)


def test_the_wheel_holds_the_registry_the_experiments_and_the_page(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"polylens/shipped/{name}" for name in SHIPPED} <= names
    assert {"polylens/report/page.html", "polylens/report/page.css"} <= names
    for folder in ("registry", "experiments"):
        written = {file.relative_to(REPOSITORY).as_posix() for file in (REPOSITORY / folder).rglob("*.yaml")}
        assert {f"polylens/shipped/{name}" for name in written} <= names
    assert not {name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))}


def test_the_installed_package_is_the_one_of_the_wheel(installed: Installed) -> None:
    found = Path(installed.call("-c", "import polylens; print(polylens.__file__)").strip())
    assert found.is_relative_to(installed.python.parents[1])
    assert installed.polylens("--version").startswith("polylens ")


def test_names_of_the_shipped_registry_are_known(installed: Installed) -> None:
    assert "digits-mlp" in installed.polylens("ls", "models")
    assert "an entry of kind torchvision" in installed.polylens("describe", "models/googlenet")


def test_a_spec_with_shipped_names_runs(installed: Installed) -> None:
    changes = {
        "model": {"use": "digits-mlp", "training": {"epochs": 1}},
        "controls": None,
        # A kind with few kernels: all that are needed are compiled anew, beside the installed package.
        "analyses": {"clusters": {"kind": "kmeans", "on": "activation", "clusters": 3, "subsamples": 0}},
    }
    plain = {key: value for key, value in (SPEC | changes).items() if value is not None}
    (installed.folder / "mine.yaml").write_text(write(plain))
    assert "mine.yaml: fine" in installed.polylens("validate", "mine.yaml")
    assert "Report: .polylens" in installed.polylens("run", "mine.yaml", "--quiet", "--limit", "100")
    (report,) = (installed.folder / ".polylens").rglob("report.html")
    assert "<style>" in report.read_text(encoding="utf-8")


def test_a_shipped_experiment_is_found_and_runs_where_it_lies(installed: Installed) -> None:
    listed = json.loads(installed.polylens("ls", "experiments", "--json"))["experiments"]
    file = next(Path(each["file"]) for each in listed if each["name"] == "digits/pair-density")
    assert file.is_relative_to(installed.python.parents[1])
    small = ("--set", "model.training.epochs=1", "--set", "controls=null", "--set", "sweep.layer=[input]")
    assert "matched ratio" in installed.polylens("run", file, "--quiet", "--limit", "100", *small)
    assert not (file.parent / ".polylens").exists()


def test_a_shipped_experiment_is_copied(installed: Installed) -> None:
    installed.polylens("new", "experiment/mine", "--like", "digits/mlp-clusters")
    assert "mine.yaml: fine" in installed.polylens("validate", "experiments/mine.yaml")
