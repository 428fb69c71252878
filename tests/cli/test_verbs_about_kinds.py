"""`ls`, `describe`, `new` and `schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polylens.catalog import Catalog
from polylens.cli import main
from polylens.plugin import FAMILIES, kinds, load_kind
from polylens.spec import check_entry
from polylens.spec.schema import schemas

REPOSITORY = Path(__file__).parents[2]
EVERY_KIND = [pytest.param(f, k, id=f"{f}-{k}") for f in FAMILIES for k in kinds(f)]


def test_ls_lists_entries_and_kinds_of_every_family(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls"]) == 0
    out = capsys.readouterr().out
    assert all(f"{family}: " in out for family in FAMILIES)
    assert main(["ls", "sampling", "--json"]) == 0
    (family,) = json.loads(capsys.readouterr().out)["families"].items()
    assert family[0] == "sampling"
    entry = next(entry for entry in family[1]["entries"] if entry["name"] == "center")
    assert (entry["kind"], entry["from"]) == ("fixed_position", "polylens (built in)")
    assert {"evenly_spaced", "fixed_position"} <= {kind["name"] for kind in family[1]["kinds"]}


def test_ls_lists_several_families_each_once_and_in_the_order_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["datasets", "experiments", "models", "datasets"]
    assert main(["ls", *asked]) == 0
    titles = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if line[:1].isalpha()]
    assert titles == ["datasets", "experiments", "models"]
    assert main(["ls", *asked, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["families", "experiments"]
    assert list(printed["families"]) == ["datasets", "models"]
    assert main(["ls", "models", "experiment"]) == 2
    assert "did you mean 'experiments'?" in capsys.readouterr().err


def test_an_entry_that_cannot_be_read_hides_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "registry" / "sampling").mkdir(parents=True)
    (folder / "registry" / "sampling" / "broken.yaml").write_text("a: [")
    assert main(["ls", "sampling"]) == 0
    out = capsys.readouterr().out
    assert "cannot be read" in out
    assert "center" in out


def test_describe_explains_an_entry_and_its_kind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "models/digits-mlp"]) == 0
    out = capsys.readouterr().out
    assert "models/digits-mlp, an entry of kind mlp" in out
    assert "hidden: a list of whole numbers of at least 1, at least 1 long (required)" in out
    assert "learning_rate: a number of more than 0 (default 0.002)" in out


def test_describe_as_json_has_the_promised_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "sampling/evenly_spaced", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["entry"] is None
    assert set(printed["kind"]) == {"family", "name", "about", "fields"}
    assert printed["kind"]["fields"][0] == {
        "name": "count",
        "takes": "a whole number of at least 1",
        "required": True,
        "default": None,
        "about": "Positions an example.",
        "fields": [],
    }


@pytest.mark.parametrize(("family", "kind"), EVERY_KIND)
def test_every_kind_is_described_with_every_key(
    family: str, kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", f"{family}/{kind}"]) == 0
    out = capsys.readouterr().out
    assert all(f"    {name}: " in out for name in load_kind(family, kind).model_fields)


@pytest.mark.parametrize(("family", "kind"), EVERY_KIND)
def test_a_new_entry_of_every_kind_validates_as_it_is_written(
    family: str, kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", f"{family}/mine", "--kind", kind]) == 0
    path = folder / "registry" / family / "mine.yaml"
    assert check_entry(path).kind == kind
    assert all(f"{name}:" in path.read_text() for name in load_kind(family, kind).model_fields)


def test_a_new_experiment_validates_as_it_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "experiment/first"]) == 0
    assert main(["validate", "experiments/first.yaml"]) == 0
    assert capsys.readouterr().out.endswith("experiments/first.yaml: fine\n")


def test_a_project_inside_of_another_one_gets_its_own_new_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the tutorial does: a folder for one's own work in a copy of polylens."""
    (folder / "registry" / "models").mkdir(parents=True)
    lab = folder / "lab"
    (lab / "notes").mkdir(parents=True)
    (lab / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db")
    monkeypatch.chdir(lab / "notes")
    assert main(["new", "experiment/first"]) == 0
    assert (lab / "experiments" / "first.yaml").is_file()
    assert not (folder / "experiments").exists()


def test_new_never_writes_over_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "experiments").mkdir()
    (folder / "experiments" / "first.yaml").write_text("mine")
    assert main(["new", "experiment/first"]) == 2
    assert (folder / "experiments" / "first.yaml").read_text() == "mine"
    assert "is already there" in capsys.readouterr().err


def test_a_new_experiment_points_its_editor_at_the_schema(folder: Path) -> None:
    (folder / "registry" / "models").mkdir(parents=True)
    assert main(["schema"]) == 0
    assert main(["new", "experiment", "--to", "experiments/deep/first.yaml"]) == 0
    first_line = (folder / "experiments" / "deep" / "first.yaml").read_text().splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=../../registry/schema/experiment.schema.json"


def test_the_committed_schema_is_what_polylens_schema_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    made = schemas(Catalog.around(REPOSITORY))
    written = {
        path.name: json.loads(path.read_text()) for path in (REPOSITORY / "registry/schema").glob("*.json")
    }
    assert written == made, "the kinds or the registry changed: run `polylens schema`"


def test_a_shipped_experiment_is_found_and_copied(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "experiments"]) == 0
    assert "    digits/mlp-clusters " in capsys.readouterr().out
    assert main(["ls", "experiments", "--json"]) == 0
    listed = {each["name"]: each for each in json.loads(capsys.readouterr().out)["experiments"]}
    assert Path(listed["googlenet/image-folder"]["file"]).is_file()
    assert main(["new", "experiment/mine", "--like", "digits/mlp-clusters"]) == 0
    assert main(["validate", "experiments/mine.yaml"]) == 0
    assert (folder / "experiments" / "mine.yaml").read_text().startswith("about:")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["new", "experiment", "--like", "digits/mlp-cluster"], "did you mean 'digits/mlp-clusters'?"),
        (["new", "sampling/x", "--like", "digits/mlp-clusters"], "--like is for experiments"),
    ],
)
def test_a_wrong_example_is_answered(
    arguments: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err
