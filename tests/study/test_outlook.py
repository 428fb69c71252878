"""What a study would do: its stages, what is stored, why the rest is not, and how large it is."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.projects import Project

import polylens
from polylens.errors import SpecError, UsageError
from polylens.study.outlook import Outlook
from polylens.study.study_results import StudyResult

# Nothing is trained and little is clustered: 270 images, 8 units, 8 bits.
SMALL = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [8, 8], "classes": 10},
    "controls": None,
    "labels": None,
    "layer": ["hidden.1", "hidden.2"],
    "analyses": {
        "groups": {"kind": "kmeans", "on": "activation", "clusters": 3, "restarts": 1, "subsamples": 0},
        "agreement": {"kind": "partition_agreement", "of": ["groups", "groups"], "permutations": 20},
        "codes": {"kind": "code_statistics", "pairs": 10, "resamples": 2},
    },
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outlook")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(folder)
    return folder


@pytest.fixture(scope="module")
def spec(folder: Path) -> Path:
    return Project(folder).spec(**SMALL)


@pytest.fixture(scope="module")
def before(spec: Path) -> Outlook:
    return polylens.plan(spec)


@pytest.fixture(scope="module")
def result(spec: Path, before: Outlook) -> StudyResult:
    with undrawn():
        return polylens.run(spec)


def whys(outlook: Outlook) -> dict[str, str]:
    """What is said of each missing stage of the first child."""
    return {stage.name: stage.why for stage in outlook.children[0].stages if not stage.stored}


def test_before_the_first_run_nothing_is_stored_and_sizes_are_estimates(before: Outlook) -> None:
    child = before.children[0]
    assert [one.layer for one in before.children] == ["hidden.1", "hidden.2"]
    assert (child.n_examples, child.n_rows, child.width, child.code_units) == (270, 270, 8, 8)
    assert child.harvest_seconds > 0
    assert not any(stage.stored for stage in child.stages)
    sizes = {stage.name: stage.n_bytes for stage in child.stages}
    # Four bytes for each of 8 channels, one byte of code, and 64 pixels of the raw inputs.
    assert sizes["harvest"] == 270 * 8 * 4
    assert sizes["harvest_codes"] == 270
    assert sizes["harvest.raw_inputs"] == 270 * 64 * 4
    assert sizes["groups"] is None
    said = whys(before)
    assert said["harvest"] == "nothing of this name is stored"
    assert said["groups"] == "stands on harvest"
    assert said["agreement"] == "stands on groups"


def test_looking_computes_nothing(before: Outlook, spec: Path, folder: Path) -> None:
    assert not list((folder / ".polylens").rglob("manifest.json"))


def test_after_a_run_everything_is_stored_with_its_size(result: StudyResult, spec: Path) -> None:
    outlook = polylens.plan(spec)
    assert all(stage.stored and stage.n_bytes for child in outlook.children for stage in child.stages)
    assert [child.harvest_seconds for child in outlook.children] == [0.0, 0.0]


def test_a_changed_number_is_named_with_what_is_stored_and_what_was_asked_for(
    result: StudyResult, spec: Path
) -> None:
    changed = polylens.load_spec(spec, overrides=["analyses.groups.clusters=4"])
    assert whys(polylens.plan(changed)) == {
        "groups": "analysis.clusters: 3 stored, 4 asked for",
        "agreement": "stands on groups",
        "groups.raw_inputs": "analysis.clusters: 3 stored, 4 asked for",
        "groups.figures": "stands on groups, groups.raw_inputs",
        "agreement.figures": "stands on agreement",
        "report": "stands on groups, agreement, groups.raw_inputs, groups.figures, ... (5 in all)",
    }


def test_the_precision_of_a_forward_pass_is_part_of_what_it_gives(result: StudyResult, spec: Path) -> None:
    said = whys(polylens.plan(spec, options=polylens.Options(precision="bf16-mixed")))
    assert said["harvest"] == "precision: 32-true stored, bf16-mixed asked for"
    assert said["codes"] == "stands on harvest_codes"
    same = polylens.plan(spec, options=polylens.Options(batch_size=7, workers=1))
    assert whys(same) == {}


def test_the_outlook_as_plain_data_is_json(before: Outlook) -> None:
    plain = json.loads(json.dumps(before.to_plain()))
    assert [child["name"] for child in plain["children"]] == ["small layer=hidden.1", "small layer=hidden.2"]
    keys = {"name", "kind", "digest", "stored", "why", "n_bytes", "walking_seconds", "pair_seconds"}
    assert set(plain["children"][0]["stages"][0]) == keys


def test_the_time_of_exact_walks_is_estimated_from_units_and_the_cost_of_a_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from polylens.cli.outlook import show_outlook
    from polylens.study import walking_cost

    def half_a_second(part):
        return [0.5 if step.nonlinearity is None else 0.0 for step in part.steps]

    monkeypatch.setattr(walking_cost, "_step_seconds", half_a_second)
    walks = {
        "density": {"kind": "crossing_density", "pairs": 10, "resamples": 20},
        "early": {"kind": "crossing_density", "pairs": 10, "resamples": 20, "through": "hidden.2"},
        "paths": {"kind": "path_density", "pairs": 25, "resamples": 20},
        "plane": {"kind": "slice", "slices": 2, "resamples": 20, "reach": 0.5},
        "around": {"kind": "slice", "slices": 2, "resamples": 20, "plane": "directions"},
    }
    hidden = {"kind": "mlp", "inputs": 64, "hidden": [8, 8, 6], "classes": 10}
    whole = {"kind": "sign", "units": "downstream", "positions": "all"}
    spec = Project(folder).spec(
        "walks.yaml",
        **SMALL | {"layer": "hidden.1", "analyses": walks, "model": hidden, "code": whole, "sampling": None},
    )
    outlook = polylens.plan(spec)
    found = {stage.name: stage.walking_seconds for stage in outlook.children[0].stages}
    # Half a second for each dense layer: the first at the two ends, the second at a sixth of 8 units as well,
    # the last, which only outputs need, at those of 14.
    first, second, last = 2 * 0.5, (2 + 8 / 6) * 0.5, (2 + 14 / 6) * 0.5
    assert found["density"] == pytest.approx(20 * (first + second))
    assert found["early"] == pytest.approx(20 * first)
    assert found["paths"] == pytest.approx(50 * (first + second + last))
    assert found["plane"] == pytest.approx(2 * 3 * 0.5 * (first + second + last))
    assert found["around"] is None
    assert found["harvest"] is None
    show_outlook(outlook, why=False)
    said = capsys.readouterr().out
    assert "exact walks may take" in said
    assert "This is an estimate" in said
    smooth = polylens.load_spec(spec, overrides=["model.activation=gelu"])
    assert all(stage.walking_seconds is None for stage in polylens.plan(smooth).children[0].stages)


def test_the_time_of_comparing_all_pairs_is_guessed_where_it_is_long(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from polylens import analyses
    from polylens.analyses import spanning_tree
    from polylens.cli.outlook import show_outlook

    clock = iter(range(0, 10_000, 3))  # every look at it is three seconds later: so long does a trial take
    monkeypatch.setattr("polylens.analyses.spanning_tree.guessing.time.perf_counter", lambda: next(clock))
    trees = {
        "all": {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 0},
        "halves": {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 10},
        "codes": {"kind": "hdbscan", "on": "code", "min_cluster_size": 5, "subsamples": 0},
        "few": {"kind": "hdbscan", "on": "code", "min_cluster_size": 5, "subsamples": 0, "sample": 100},
    }
    spec = Project(folder).spec("pairs.yaml", **SMALL | {"layer": "hidden.1", "analyses": trees})
    assert all(stage.pair_seconds is None for stage in polylens.plan(spec).children[0].stages), "few rows"
    monkeypatch.setattr(spanning_tree, "WORTH_SHARING", 200)
    monkeypatch.setattr(spanning_tree.SpanningTree, "__hash__", None)  # as of a kind with a map of keys
    outlook = polylens.plan(spec)
    child = outlook.children[0]
    found = {stage.name: stage.pair_seconds for stage in child.stages}
    once = 3 * (child.n_rows / 2048) ** 2
    assert child.n_rows >= 200
    assert found["all.spanning_tree"] == pytest.approx(once)
    assert found["halves.spanning_tree"] == pytest.approx(once * (1 + 10 * 0.64))
    assert found["codes.spanning_tree"] == pytest.approx(once)
    assert found["few.spanning_tree"] is None
    assert found["all"] is None
    assert found["harvest"] is None
    show_outlook(outlook, why=False)
    assert "comparing all pairs" not in capsys.readouterr().out, "seconds are not worth a word"
    assert analyses.RowAnalysis.guess_pair_seconds is not spanning_tree.SpanningTree.guess_pair_seconds


def test_rows_too_wide_or_not_of_bits_are_not_guessed() -> None:
    from polylens.analyses.spanning_tree import SpanningTree

    activations = SpanningTree(on="activation")
    codes = SpanningTree(on="code")
    wide = 12_000_000  # as codes of whole pictures: a trial of thousands would not fit into memory
    assert activations.guess_pair_seconds(10**6, width=wide, code_bits=0) is None
    assert codes.guess_pair_seconds(10**6, width=8, code_bits=wide) is None
    assert codes.guess_pair_seconds(10**6, width=8, code_bits=0) is None, "there are none, or graded ones"
    guessed = codes.guess_pair_seconds(10**6, width=wide, code_bits=64)
    assert guessed is not None
    assert guessed > 0


def test_a_layer_without_units_is_found_at_its_place(folder: Path) -> None:
    spec = Project(folder).spec("wrong.yaml", **SMALL | {"layer": "output"})
    with pytest.raises(SpecError) as caught:
        polylens.plan(spec)
    (problem,) = caught.value.problems
    assert problem.path == "code"
    assert "has no units of its own" in problem.message
    assert problem.place is not None
    assert problem.place.text.startswith("code:")


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (
            lambda result: polylens.load_rows(result),
            "say which child: small layer=hidden.1, small layer=hidden.2",
        ),
        (lambda result: polylens.load_rows(result, child="hidden.1"), "say which child"),
        (
            lambda result: polylens.load_partition(result.children[0], "codes"),
            "the analysis 'codes' gives no clusters",
        ),
        (lambda result: polylens.load_partition(result.children[0], "grops"), "did you mean 'groups'?"),
        (
            lambda result: polylens.load_labels(result.children[0], "digits"),
            "no label 'digits'\n  known: none",
        ),
    ],
    ids=["several-children", "no-such-child", "no-partition", "misspelt", "no-labels"],
)
def test_asking_for_what_a_run_does_not_have_says_what_it_has(
    result: StudyResult, ask: Callable[[StudyResult], object], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        ask(result)
    assert says in str(caught.value)


def test_a_run_as_plain_data_has_the_promised_keys(result: StudyResult) -> None:
    plain = json.loads(json.dumps(result.children[0].to_plain()))
    keys = {"run_id", "name", "status", "logged", "spec_digest", "layer", "verdict", "metrics", "stages"}
    assert set(plain) == keys
    assert plain["verdict"] is None
    assert (plain["status"], plain["layer"]) == ("done", "hidden.1")
    assert set(plain["stages"][0]) == {"name", "status", "seconds"}
    assert (
        plain["metrics"]["codes/distinct_fraction"]
        == result.children[0].numbers_by_name()["codes/distinct_fraction"].value
    )


def test_a_run_in_a_notebook_says_on_one_line_how_far_it_is_and_counts_what_the_plan_counts(
    result: StudyResult, spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    again = polylens.run(spec)
    said = capsys.readouterr().out
    count = polylens.plan(spec).n_stages
    assert said.count("\n") == 1
    assert f"small done: {count} of {count} stages" in said
    assert sum(len(child.stages) for child in again.children) == count
    assert repr(again) == "StudyResult(small: small layer=hidden.1 (done), small layer=hidden.2 (done))"
    shown = again._repr_html_()
    assert "<strong>small: 2 runs</strong>" in shown
    assert "<td>small layer=hidden.1</td><td>done</td>" in shown
    child = again.children[0]._repr_html_()
    assert "<strong>small layer=hidden.1, layer hidden.1</strong>" in child
    assert "report: " in child


def test_a_child_is_chosen_by_its_name(result: StudyResult) -> None:
    rows = polylens.load_rows(result, child="small layer=hidden.2")
    assert rows.layer == "hidden.2"
    assert polylens.load_partition(result.children[1], "groups").n_clusters == 3


def test_changes_belong_to_loading_a_spec_and_not_to_running_a_loaded_one(spec: Path) -> None:
    study = polylens.load_spec(spec)
    with pytest.raises(UsageError, match="load_spec"):
        polylens.run(study, overrides=["seed=1"])
