"""`polylens plan`: what it prints for people and what it promises to scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.projects import Project

from polylens.cli import main

STAGE = {"name", "kind", "digest", "stored", "why", "n_bytes", "walking_seconds", "pair_seconds"}
CHILD = {"name", "layer", "n_examples", "n_rows", "width", "code_units", "harvest_seconds", "stages"}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    return Project(tmp_path).spec()


def test_a_plan_as_json_has_the_promised_keys(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(spec), "--json", "--limit", "50"]) == 0
    out, said = capsys.readouterr()
    printed = json.loads(out)
    assert said == ""
    assert set(printed) == {"children"}
    (child,) = printed["children"]
    assert set(child) == CHILD
    assert {frozenset(stage) for stage in child["stages"]} == {frozenset(STAGE)}
    assert (child["n_examples"], child["n_rows"]) == (50, 50)


def test_a_plan_counts_what_is_to_do_and_says_why_where_asked(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(spec)]) == 0
    short = capsys.readouterr().out
    assert "270 rows of 270 examples, width 16, code of 16 units" in short
    assert "0 stored" in short
    assert "stands on" not in short
    assert main(["plan", str(spec), "--why"]) == 0
    long = capsys.readouterr().out
    assert "stands on train" in long
    assert "nothing of this name is stored" in long
    assert not (spec.parents[2] / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set", "layer=hidden.9"], "did you mean 'hidden.2'?"),
        (["--precision", "32"], "no precision '32'"),
        (["--limit", "0"], "Invalid value for '--limit'"),
    ],
)
def test_a_plan_of_something_wrong_leaves_with_2(
    spec: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(spec), *arguments]) == 2
    assert says in capsys.readouterr().err
