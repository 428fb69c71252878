"""`validate` and `show`, and what they promise to scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from polylens.cli import main
from polylens.reading import read


@pytest.fixture
def spec(folder: Path, spec_text: str) -> Path:
    path = folder / "spec.yaml"
    path.write_text(spec_text)
    return path


def test_a_right_spec_is_called_fine(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "spec.yaml"]) == 0
    assert capsys.readouterr().out == "spec.yaml: fine\n"
    assert main(["validate", "spec.yaml", "--set", "layer=[hidden.1, hidden.2]"]) == 0
    assert capsys.readouterr().out == "spec.yaml: fine (2 child runs)\n"


def test_a_folder_stands_for_the_specs_in_it(
    spec: Path, spec_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = spec.parent / "several"
    folder.mkdir()
    assert main(["validate", "several"]) == 2
    assert "there are no specs in the folder several" in capsys.readouterr().err
    for name in ("two.yaml", "one.yml", "notes.txt"):
        (folder / name).write_text(spec_text)
    assert main(["validate", "several", "several/two.yaml"]) == 0
    assert capsys.readouterr().out == "several/one.yml: fine\nseveral/two.yaml: fine\n"


def test_mistakes_as_json_have_the_promised_keys(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "spec.yaml", "--json", "--set", "sede=1", "--set", "layer=hidden.9"]) == 2
    printed = json.loads(capsys.readouterr().out)
    assert printed == {
        "errors": [
            {
                "file": "--set",
                "line": 1,
                "column": 1,
                "path": "sede",
                "message": "unknown key 'sede' in the spec",
                "suggestion": "seed",
            },
            {
                "file": "--set",
                "line": 1,
                "column": 7,
                "path": "layer",
                "message": "the model has no layer 'hidden.9'",
                "suggestion": "hidden.3",
            },
        ]
    }
    assert main(["validate", "spec.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"errors": []}


def test_mistakes_of_several_files_come_together(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (spec.parent / "other.yaml").write_text(spec.read_text().replace("seed: 0", "seed: x"))
    (spec.parent / "third.yaml").write_text("")
    assert main(["validate", "other.yaml", "spec.yaml", "third.yaml"]) == 2
    out, said = capsys.readouterr()
    assert out == "spec.yaml: fine\n"
    assert said.endswith("2 errors in 2 files; nothing was run\n")


def test_files_of_a_registry_are_checked_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "registry" / "sampling" / "six.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("about: x\nsource: ours\nlicence: MIT\nentry: {kind: evenly_spaced, count: 6}\n")
    assert main(["validate", "registry/sampling/six.yaml"]) == 0
    path.write_text("about: x\nsource: ours\nlicence: MIT\nentry: {kind: evenly_spaced, count: 0}\n")
    assert main(["validate", "registry/sampling/six.yaml"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "registry/sampling/six.yaml:4:37: entry.count must be a whole number of at least 1, not 0"
    )


def test_what_show_prints_is_a_spec_again(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = "sweep={seed: [0, 1]}"
    assert main(["show", "spec.yaml", "--set", sweep]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# 2 child runs:\n#   spec seed=0\n#   spec seed=1\n")
    (spec.parent / "again.yaml").write_text(printed)
    assert main(["show", "again.yaml"]) == 0
    again = capsys.readouterr().out
    assert read(again, file="again").value == read(printed, file="printed").value


def test_show_says_where_each_value_came_from(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "spec.yaml", "--origins", "--set", "seed=3"]) == 0
    lines = {line.split(": ")[0]: line.split()[-1] for line in capsys.readouterr().out.splitlines()}
    assert lines["seed"] == "--set:1:6"
    assert lines["layer"] == "spec.yaml:5:8"
    assert lines["version"] == "default"
    assert lines["model.hidden"].endswith("digits-mlp.yaml:10:11")


def test_show_as_json_has_the_promised_keys(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "spec.yaml", "--json", "--set", "layer=[hidden.1, hidden.2]"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"name", "resolved", "children", "origins"}
    assert printed["origins"]["layer"] == "--set:1:7"
    assert [child["name"] for child in printed["children"]] == ["spec layer=hidden.1", "spec layer=hidden.2"]
    assert {frozenset(child) for child in printed["children"]} == {
        frozenset({"name", "point", "spec_digest", "resolved"})
    }


def test_what_validate_could_not_check_is_said(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = "dataset={kind: image_folder, root: photos}"
    assert main(["validate", "spec.yaml", "--set", absent]) == 0
    assert capsys.readouterr().out == "spec.yaml: fine (not on this machine: photos)\n"
    Path("photos").mkdir()
    assert main(["validate", "spec.yaml", "--set", absent]) == 0
    assert capsys.readouterr().out == "spec.yaml: fine\n"


RESNET = ("--set", "model={kind: torchvision, name: resnet18, weights: null}", "--set", "code=null")


def test_layers_are_checked_by_modules_where_no_configuration_names_them(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "spec.yaml", *RESNET, "--set", "layer=layr3"]) == 2
    said = capsys.readouterr().err
    assert "the model has no layer 'layr3'" in said
    assert "did you mean 'layer3'?" in said
    assert "the model is as --set model={kind: torchvision, name: resnet18, weights: null} says" in said
    assert main(["validate", "spec.yaml", *RESNET, "--set", "layer=layer3"]) == 0
    assert capsys.readouterr().out == "spec.yaml: fine (positions and codes not checked, --deep does)\n"


def test_a_mistake_that_an_override_brings_about_names_the_override(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(re.sub(r"(?m)^controls:.*$", "controls: [random_labels]", spec.read_text()))
    assert main(["validate", "spec.yaml"]) == 0
    capsys.readouterr()
    assert main(["validate", "spec.yaml", "--set", "model.training=null"]) == 2
    said = capsys.readouterr().err
    assert "spec.yaml:" in said
    assert "without --set model.training=null this would be no mistake" in said
    assert main(["validate", "spec.yaml", "--set", "analysis.clusters.min_cluster_size=8"]) == 2
    said = capsys.readouterr().err
    assert "--set:1:1: unknown key 'analysis'" in said
    assert "      | ^^^^^^^^ did you mean 'analyses'?" in said


def test_the_place_of_a_changed_part_is_the_override(spec: Path) -> None:
    from polylens.spec import load

    spec.write_text(spec.read_text().replace("dataset: digits", "dataset: {kind: image_folder, root: here}"))
    study = load(spec, overrides=["dataset.root=nowhere"])
    place = study.place_of_change("dataset")
    assert (place.file, place.column) == ("--set", len("dataset.") + 1)
    assert load(spec).place_of_change("dataset").file == "spec.yaml"
