"""A picture or a page whose code changes is made anew by the same command, in MLflow too; nothing else is."""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mlflow import MlflowClient
from tests.forking import Forks
from tests.projects import Project, ran

import polylens
from polylens.plugin import load_kind
from polylens.study import looks
from polylens.study.looks import looks_of_figures, looks_of_pages

_PROGRAM = Path(polylens.__file__).parent
_CHEAP: dict[str, Any] = {
    "codes": {"kind": "code_statistics", "pairs": 50, "resamples": 10},
    "means": {"kind": "kmeans", "on": "activation", "clusters": 3, "restarts": 1, "subsamples": 0},
}


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Changes a text in the one file below a folder of a copy of the program, which later processes run."""
    copy = tmp_path / "copy"

    def edit(folder: str, old: str, new: str) -> None:
        if not copy.exists():
            shutil.copytree(_PROGRAM, copy / "polylens", ignore=shutil.ignore_patterns("__pycache__"))
            for part in ("registry", "experiments"):
                (copy / "polylens" / "shipped").mkdir(exist_ok=True)
                shutil.copytree(_PROGRAM.parents[1] / part, copy / "polylens" / "shipped" / part)
        sources = [path for path in (copy / "polylens" / folder).rglob("*.*") if path.suffix != ".pyc"]
        files = [path for path in sources if old in path.read_text()]
        assert len(files) == 1
        files[0].write_text(files[0].read_text().replace(old, new))
        monkeypatch.setenv("PYTHONPATH", str(copy))

    return edit


@pytest.mark.slow
def test_a_changed_title_or_template_is_seen_by_the_same_command(
    project: Project, ready: Forks, edited: Callable[[str, str, str], None]
) -> None:
    spec = project.spec(analyses=_CHEAP, controls=None, labels=None)
    first = project.run(spec)[0]
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    before = client.get_run(first["run_id"]).data
    artifacts = Path(client.get_run(first["run_id"]).info.artifact_uri.removeprefix("file://"))
    points = {name: len(client.get_metric_history(first["run_id"], name)) for name in before.metrics}

    edited("analyses", 'title="Distances of codes, layer by layer"', 'title="How far codes are apart"')
    again = project.runs_of(project.call_apart(ready, "run", "--json", spec))[0]
    assert ran(again) == {"codes.figures", "report"}
    assert again["run_id"] == first["run_id"]
    assert "How far codes are apart" in (artifacts / "figures" / "captions.md").read_text()
    assert "How far codes are apart" in (artifacts / "report.html").read_text()
    assert "Distances of codes, layer by layer" not in (artifacts / "report.html").read_text()

    edited("report", ">Provenance</h2>", ">Where all this is from</h2>")
    third = project.runs_of(project.call_apart(ready, "run", "--json", spec))[0]
    assert ran(third) == {"report"}
    assert "Where all this is from" in (artifacts / "report.html").read_text()

    after = client.get_run(first["run_id"])
    assert after.info.status == "FINISHED"
    assert after.data.metrics == before.metrics
    assert {name: len(client.get_metric_history(first["run_id"], name)) for name in points} == points


def test_kinds_share_the_looks_of_what_they_share() -> None:
    kinds = [load_kind("analyses", name) for name in ("kmeans", "hdbscan", "code_statistics")]
    assert len({looks_of_figures(kind) for kind in kinds}) == 3
    assert looks_of_figures(kinds[0]) == looks_of_figures(kinds[0])
    assert looks_of_pages("polylens.study.pages") != looks_of_pages("polylens.study.overviews")


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of somebody else's with a kind that draws by a file beside it."""
    package = tmp_path / "foreign"
    (package / "kind").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "style.py").write_text("INK = 'black'\n")
    (package / "kind" / "__init__.py").write_text("from .pictures import draw\n\n\nclass Kind:\n    pass\n")
    (package / "kind" / "pictures.py").write_text(
        "from ..style import INK\n\n\ndef draw():\n    return INK\n"
    )
    module = ModuleType("foreign")
    module.__file__ = str(package / "__init__.py")
    monkeypatch.setitem(sys.modules, "foreign", module)
    return package


def forget() -> None:
    """Reads sources anew, as another process does."""
    for remembered in (looks._digest, looks._file, looks._names_passed_on, looks._statements):
        remembered.cache_clear()


@pytest.mark.parametrize("changed", ["kind/__init__.py", "kind/pictures.py", "style.py"])
def test_kinds_of_another_package_are_followed_too(foreign: Path, changed: str) -> None:
    kind = type("Kind", (), {"__module__": "foreign.kind"})
    forget()
    before = looks_of_figures(kind)
    file = foreign / changed
    file.write_text(file.read_text() + "# another colour\n")
    forget()
    assert looks_of_figures(kind) != before


def parsed(file: Path) -> set[tuple[str, str]]:
    """Every import of a source, as Python's own parser finds it: from where, and what."""
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {("." * node.level + (node.module or ""), alias.name) for alias in node.names}
    return found


ODD = """\
import one, two.three as four
from five import six; seven = 8
from . import eight
from ..nine.ten import (  # (not) this
    eleven,  # nor, that
    twelve as thirteen,
)
def f():
    from fourteen \\
        import fifteen
    if f: import sixteen
"""


def test_imports_found_by_their_form_are_those_of_the_parser(tmp_path: Path) -> None:
    odd = tmp_path / "odd.py"
    odd.write_text(ODD)
    for file in [odd, *_PROGRAM.rglob("*.py")]:
        found = {(source, name) for source, names in looks._statements(file) for name in (names or {"": ""})}
        assert parsed(file) <= found, file
