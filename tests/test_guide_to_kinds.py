"""The package that the guide to kinds writes, installed outside of the repository: listed and run."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.forking import Forks
from tests.mlflow_database import put_database

import polylens.figures

GUIDE = (Path(__file__).parents[1] / "docs" / "guide" / "kinds.md").read_text(encoding="utf-8")
KINDS = {
    "sampling": "every_other",
    "models": "bottleneck",
    "analyses": "spread_within",
    "labels": "majority_class",
}


def blocks(language: str) -> dict[str, str]:
    """The guide's blocks of code by the path in their first line."""
    found = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return {block.partition("\n")[0].removeprefix("# "): block for block in found}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project beside an installed package, both as the guide has them."""
    root = tmp_path_factory.mktemp("lab")
    for path, text in blocks("python").items():
        file = root / "site" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for package in ("my_lab", "my_lab/entries"):
        (root / "site" / package).mkdir(exist_ok=True)
        (root / "site" / package / "__init__.py").touch()
    info = root / "site" / "my_lab-1.0.dist-info"
    info.mkdir()
    (toml,) = blocks("toml").values()
    project = tomllib.loads(toml)["project"]
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {leads_to}" for name, leads_to in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    for path, text in blocks("yaml").items():
        spec = root / "project" / path
        spec.parent.mkdir(parents=True)
        spec.write_text(text)
    (root / "project" / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(root / "project")
    return root


@pytest.fixture(scope="module")
def environment(lab: Path) -> dict[str, str]:
    """Where the package is installed."""
    found = os.pathsep.join([str(lab / "site"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": found}


@pytest.fixture(scope="module")
def polylens_in(lab: Path, ready: Forks, environment: dict[str, str]) -> Callable[..., str]:
    """What `polylens ...` prints in the project, where the package is installed."""

    def run(*arguments: str) -> str:
        done = ready.polylens(*arguments, environment=environment, folder=lab / "project")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def listed(polylens_in: Callable[..., str]) -> dict[str, set[str]]:
    """The names of all kinds of the families that the guide adds to."""
    families = json.loads(polylens_in("ls", *KINDS, "--json"))["families"]
    return {family: {each["name"] for each in found["kinds"]} for family, found in families.items()}


@pytest.mark.parametrize(("family", "kind"), [*KINDS.items(), ("analyses", "shared_codes")])
def test_its_kinds_are_listed_and_described(
    polylens_in: Callable[..., str], listed: dict[str, set[str]], family: str, kind: str
) -> None:
    assert kind in listed[family]
    page = json.loads(polylens_in("describe", f"{family}/{kind}", "--json"))["kind"]
    assert page["name"] == kind
    assert all(field["about"] for field in page["fields"])


@pytest.mark.slow
def test_its_spec_runs_with_figure_table_and_labels(lab: Path, polylens_in: Callable[..., str]) -> None:
    (spec,) = blocks("yaml")
    assert polylens_in("validate", "--deep", spec) == f"{spec}: fine\n"
    (run,) = json.loads(polylens_in("run", "--json", spec))["runs"]
    assert run["status"] == "done"
    metrics = run["metrics"]
    assert 0 < metrics["shared/shared_fraction"] <= 1
    assert 0 < metrics["shared/shared_fraction.random_init"] <= 1
    assert 0 <= metrics["classes/named_fraction"] <= 1
    assert 0 < metrics["spread/spread_within"] < 1
    assert 0 < metrics["spread/spread_within.raw_inputs"] < 1
    (figure,) = lab.rglob("artifacts/figures/shared-shared.png")
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert len(list(lab.rglob("artifacts/tables/shared.largest.parquet"))) == 1
    (report,) = lab.rglob("artifacts/report.html")
    assert "Rows whose polytope another example shares" in report.read_text()


def test_its_own_test_passes_beside_its_package(lab: Path, ready: Forks, environment: dict[str, str]) -> None:
    pytest_of_its_own = ("pytest", "-q", "-p", "no:cacheprovider", "tests")
    done = ready.module(*pytest_of_its_own, environment=environment, folder=lab / "site")
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_doctor_finds_its_kinds_in_order(polylens_in: Callable[..., str]) -> None:
    checks = json.loads(polylens_in("doctor", "--json"))["checks"]
    (kinds,) = [check for check in checks if "my-lab" in check["said"]]
    assert (kinds["level"], kinds["what"], kinds["said"]) == (
        "ok",
        "kinds",
        "5 of other packages: my-lab 1.0",
    )
    assert not [check for check in checks if check["what"].partition("/")[0] in KINDS]


def test_the_guide_helps_to_choose_among_all_figures() -> None:
    table = GUIDE[GUIDE.index("| what you have") :].partition("\n\n")[0]
    told = set(re.findall(r"`(\w+)`", table))
    drawn = {name for name in polylens.figures.__all__ if name[0].islower()} - {"use_marks"}
    assert told == drawn
