"""`polylens compare`: what differs between runs, and where their rows went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.projects import Done, Project

from polylens.records import Origins, Rows
from polylens.study.flows import CannotMatchError, match
from polylens.study.study_results import StudyResult

LAYERS = ("small layer=hidden.1", "small layer=hidden.2")


def compared(project: Project, *words: str) -> dict[str, Any]:
    done = project.call("compare", "--json", *words)
    assert done.returncode == 0, done.stderr
    plain: dict[str, Any] = json.loads(done.stdout)
    return plain


def rows(
    example: list[int], position: list[int], *, grid: tuple[int, ...], ids: str = "abcdef", classes: str = ""
) -> Rows:
    """Rows of examples that are called by letters, with the class of each row as a letter."""
    names = tuple(sorted(set(classes)))
    return Rows(
        layer="x",
        origins=Origins(np.array(example), np.array(position), grid, tuple(ids)),
        targets=np.array([names.index(name) for name in classes]) if classes else None,
        classes=names,
    )


def test_rows_are_matched_by_example_and_position() -> None:
    first = rows([0, 0, 1, 2], [3, 5, 3, 4], grid=(2, 4))
    second = rows([2, 0, 1, 0], [4, 5, 2, 3], grid=(2, 4))
    matched = match(first, second, by_id=False)
    assert [*zip(matched.first.tolist(), matched.second.tolist(), strict=True)] == [(0, 3), (1, 1), (3, 0)]
    assert matched.how == "by example and position"


def test_rows_of_other_examples_of_one_dataset_are_matched_by_their_ids() -> None:
    # Examples c and d are in both, under other numbers.
    first = rows([0, 1, 2, 3], [0, 0, 0, 0], grid=(), ids="abcd", classes="xyxy")
    second = rows([0, 1, 2], [0, 0, 0], grid=(), ids="dec", classes="yyx")
    matched = match(first, second, by_id=True)
    assert [*zip(matched.first.tolist(), matched.second.tolist(), strict=True)] == [(2, 2), (3, 0)]
    changed = rows([0, 1, 2], [0, 0, 0], grid=(), ids="dec", classes="yyy")
    with pytest.raises(CannotMatchError, match="1 of 2 examples with one id are of other classes"):
        match(first, changed, by_id=True)


def test_rows_of_other_positions_are_matched_by_example_where_each_has_one_and_refused_otherwise() -> None:
    first, second = rows([1, 0], [3, 0], grid=(2, 2)), rows([0, 1], [0, 0], grid=())
    matched = match(first, second, by_id=False)
    assert [*zip(matched.first.tolist(), matched.second.tolist(), strict=True)] == [(1, 0), (0, 1)]
    assert "by example alone" in matched.how
    with pytest.raises(CannotMatchError, match="several of an example"):
        match(rows([0, 0], [1, 2], grid=(2, 2)), second, by_id=False)
    with pytest.raises(CannotMatchError, match="no row is of the same example"):
        match(rows([4], [0], grid=()), second, by_id=False)


@pytest.mark.slow
def test_two_layers_are_compared_in_spec_numbers_and_rows(
    two_layers: tuple[Project, StudyResult], tmp_path: Path
) -> None:
    project, result = two_layers
    page = tmp_path / "page.html"
    plain = compared(project, *LAYERS, "--page", str(page))
    assert [side["letter"] for side in plain["sides"]] == ["A", "B"]
    (layer,) = plain["spec"]
    assert (layer["key"], layer["values"]) == ("layer", ["hidden.1", "hidden.2"])
    assert all(origin.startswith("experiments/tests/small.yaml:") for origin in layer["origins"])

    numbers = {line["name"]: line for line in plain["numbers"]}
    own = [child.numbers_by_name()["quality/purity"].value for child in result.children]
    purity = numbers["quality/purity"]
    assert [value["value"] for value in purity["values"]] == own
    (difference,) = purity["differences"]
    assert difference["value"] == pytest.approx(own[1] - own[0])
    assert difference["decision"] == "no interval"  # purity has a stability range alone

    terms = {line["name"]: line for line in plain["equal_terms"]}
    lead = terms["quality/right_fraction"]
    assert lead["difference"]["value"] == pytest.approx(lead["second"] - lead["first"])
    assert lead["difference"]["low"] <= lead["difference"]["value"] <= lead["difference"]["high"]

    (flow,) = plain["flows"]
    counts = np.array(flow["counts"])
    assert flow["rows"] == counts.sum() == len(result.children[0].rows())
    assert [group["size"] for group in flow["first"]] == counts.sum(1).tolist()
    assert [group["size"] for group in flow["second"]] == counts.sum(0).tolist()
    assert -0.1 < flow["agreement"]["adjusted_mutual_information"]["value"] <= 1
    assert plain["refusals"] == []
    assert page.read_text().count("<figure>") == 1


@pytest.mark.slow
def test_a_network_and_its_control_give_the_lead_that_the_run_itself_has_with_its_sign_turned(
    two_layers: tuple[Project, StudyResult],
) -> None:
    project, result = two_layers
    plain = compared(project, LAYERS[1], f"{LAYERS[1]}:random_init")
    assert plain["spec"] == [
        {"key": "network", "values": ["own", "random_init"], "origins": ["", ""]},
    ]
    lead = result.children[1].numbers_by_name()["quality/right_fraction_lead.random_init"]
    terms = {line["name"]: line["difference"] for line in plain["equal_terms"]}
    assert terms["quality/right_fraction"]["value"] == pytest.approx(-lead.value)
    assert terms["quality/right_fraction"]["low"] == pytest.approx(-float(lead.high or 0))
    assert "means of 2 draws" in plain["sides"][1]["note"]


@pytest.mark.slow
def test_a_spec_is_compared_as_a_whole_and_printed_for_people(
    two_layers: tuple[Project, StudyResult],
) -> None:
    project, _ = two_layers
    before = sorted(project.folder.rglob("*"))
    done = project.call("compare", "experiments/tests/small.yaml")
    assert done.returncode == 0, done.stderr
    for said in (
        "Specs: 1 key differs",
        "quality: purity",
        "On equal terms, paired over the examples that both have",
        "Where rows went: clusters, A to B",
        "A difference is called higher or lower where its 90 % interval leaves 0 out",
    ):
        assert said in done.stdout, said
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert sorted(project.folder.rglob("*")) == before, "printing writes nothing"


@pytest.mark.slow
def test_a_comparison_is_logged_as_one_run_of_its_own(two_layers: tuple[Project, StudyResult]) -> None:
    from mlflow import MlflowClient

    project, _ = two_layers
    draws = [f"{LAYERS[0]}:random_init#{draw}" for draw in (1, 2)]
    logged = [compared(project, *draws, "--log")["logged"] for _ in range(2)]
    assert logged[0] == logged[1]
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    run = client.get_run(logged[0])
    assert run.info.run_name == f"compare {draws[0]} | {draws[1]}"
    assert run.info.status == "FINISHED"
    files = {entry.path for entry in client.list_artifacts(logged[0])}
    assert {"report.html", "comparison.json", "tables", "figures"} <= files
    client.delete_run(logged[0])


def refused(project: Project, *words: str) -> Done:
    done = project.call("compare", *words)
    assert (done.returncode, done.stdout) == (2, "")
    return done


@pytest.mark.slow
def test_what_cannot_be_compared_is_refused_with_what_to_do(two_layers: tuple[Project, StudyResult]) -> None:
    project, _ = two_layers
    assert f"'{LAYERS[0]}:random_init'" in refused(project, LAYERS[0]).stderr
    assert "is named twice" in refused(project, LAYERS[0], LAYERS[0]).stderr
    assert "did you mean 'random_init'?" in refused(project, LAYERS[0], f"{LAYERS[0]}:random_inti").stderr
    assert "did you mean 'small layer=hidden.1'?" in refused(project, "small layer=hiden.1", LAYERS[0]).stderr
