"""From files to studies: names, extended files, sweeps, layers, places."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylens.errors import Problem, SpecError, UsageError
from polylens.spec import Study, load, loads

ENTRY = """\
about: A small network.
source: ours
licence: MIT
entry:
  kind: mlp
  inputs: 64
  hidden: [16, 8]
  classes: 10
"""


@pytest.fixture
def project(folder: Path, spec_text: str) -> Path:
    """A project with a registry of its own that holds the model `small`."""
    (folder / "mlflow.yaml").touch()
    (folder / "registry" / "models").mkdir(parents=True)
    (folder / "registry" / "models" / "small.yaml").write_text(ENTRY)
    (folder / "experiments").mkdir()
    (folder / "experiments" / "spec.yaml").write_text(spec_text)
    return folder


def changed(project: Path, old: str, new: str, *, overrides: tuple[str, ...] = ()) -> Study:
    path = project / "experiments" / "spec.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return load(path, overrides=overrides)


def problems(project: Path, old: str, new: str, *, overrides: tuple[str, ...] = ()) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        changed(project, old, new, overrides=overrides)
    return caught.value.problems


def test_a_spec_becomes_one_child_with_every_default_filled_in(project: Path) -> None:
    study = load(project / "experiments" / "spec.yaml")
    (child,) = study.children
    assert child.name == study.name == "spec"
    assert child.experiment.model.kind() == "mlp"
    assert child.experiment.analyses["clusters"].to_plain()["selection"] == "eom"
    assert [named.name for named in child.experiment.controls] == ["random_init"]
    assert child.names == {"model": "digits-mlp", "dataset": "digits", "code": "sign"}
    assert study.project == project
    assert study.written == (project / "experiments" / "spec.yaml").read_text()


def test_the_projects_registry_comes_before_the_shipped_one(project: Path) -> None:
    (project / "registry" / "models" / "digits-mlp.yaml").write_text(ENTRY)
    study = changed(project, "hidden.3", "hidden.2")
    assert study.children[0].experiment.model.to_plain()["hidden"] == [16, 8]


def test_a_map_laid_over_a_text_that_names_no_entry_replaces_it(project: Path) -> None:
    # `weights: IMAGENET1K_V1` in the entry is a text, not a name that {file: ...} could build on.
    model = "model: {use: googlenet, weights: {file: mine.pth}}"
    study = changed(project, "model: digits-mlp\nlayer: hidden.3", f"{model}\nlayer: inception4c")
    assert study.children[0].experiment.model.to_plain()["weights"] == {"file": "mine.pth", "preset": None}


def test_use_lays_changes_over_an_entry(project: Path) -> None:
    study = changed(project, "model: digits-mlp", "model: {use: small, hidden: [4, 4, 4]}")
    plain = study.children[0].experiment.model.to_plain()
    assert (plain["inputs"], plain["hidden"]) == (64, [4, 4, 4])


def test_a_wrong_value_in_an_entry_is_shown_where_it_stands_and_where_it_was_asked_for(project: Path) -> None:
    entry = project / "registry" / "models" / "small.yaml"
    entry.write_text(ENTRY.replace("[16, 8]", "[16, eight]"))
    (problem,) = problems(project, "digits-mlp", "small")
    assert problem.place is not None
    assert (problem.place.file, problem.place.line, problem.place.column) == (
        "registry/models/small.yaml",
        7,
        16,
    )
    assert problem.message == "model.hidden[1] must be a whole number of at least 1, not the text 'eight'"
    assert problem.notes == ("used in experiments/spec.yaml:4:8",)


def test_a_changed_value_over_an_entry_is_shown_in_the_spec(project: Path) -> None:
    (problem,) = problems(project, "model: digits-mlp", "model: {use: small, hidden: [eight]}")
    assert problem.place is not None
    assert (problem.place.file, problem.place.line, problem.place.column) == ("experiments/spec.yaml", 4, 30)


def test_an_entry_without_its_texts_is_refused(project: Path) -> None:
    entry = project / "registry" / "models" / "small.yaml"
    entry.write_text("about: x\nlicense: MIT\nentry: {kind: mlp}\n")
    found = problems(project, "digits-mlp", "small")
    assert [(p.message, p.suggestion) for p in found] == [
        ("a registry entry needs 'source'", None),
        ("a registry entry needs 'licence'", None),
        ("unknown key 'license' in a registry entry", "licence"),
    ]


def test_extends_merges_deeply_and_says_where_each_value_stands(project: Path) -> None:
    child = project / "experiments" / "child.yaml"
    child.write_text(
        "extends: spec.yaml\nseed: 7\n"
        "analyses:\n  clusters: {min_cluster_size: 9}\n  quality: null\ncode: null\n"
    )
    study = load(child)
    experiment = study.children[0].experiment
    assert experiment.seed == 7
    assert list(experiment.analyses) == ["clusters"]
    assert experiment.analyses["clusters"].to_plain()["min_cluster_size"] == 9
    assert experiment.code is None
    where = {origin.path: origin.where for origin in study.origins()}
    assert where["seed"] == "experiments/child.yaml:2:7"
    assert where["analyses.clusters.min_cluster_size"] == "experiments/child.yaml:4:32"
    assert where["analyses.clusters.on"] == "experiments/spec.yaml:10:33"
    assert where["analyses.clusters.selection"] == "default"
    assert where["model.kind"].endswith("registry/models/digits-mlp.yaml:8:9")


def test_extends_may_go_through_several_files_and_folders(project: Path) -> None:
    deep = project / "experiments" / "deep"
    deep.mkdir()
    (deep / "a.yaml").write_text("extends: b.yaml\nseed: 2\n")
    (deep / "b.yaml").write_text("extends: ../spec.yaml\nseed: 1\nlayer: hidden.1\n")
    experiment = load(deep / "a.yaml").children[0].experiment
    assert (experiment.seed, experiment.layer) == (2, "hidden.1")


def test_a_mistake_in_an_extended_file_is_shown_there(project: Path) -> None:
    child = project / "experiments" / "child.yaml"
    child.write_text("extends: spec.yaml\nlayer: hidden.1\n")
    (problem,) = problems(project, "seed: 0", "seed: zero")  # spec.yaml itself
    with pytest.raises(SpecError) as caught:
        load(child)
    assert caught.value.problems == (problem,)


def test_sweeps_are_products_with_the_layers_innermost(project: Path) -> None:
    study = changed(
        project,
        "layer: hidden.3",
        "layer: [hidden.1, hidden.2]\nsweep: {seed: [0, 1], analyses.clusters.min_cluster_size: [5, 8]}",
    )
    assert [child.name for child in study.children] == [
        f"spec seed={seed} min_cluster_size={size} layer={layer}"
        for seed in (0, 1)
        for size in (5, 8)
        for layer in ("hidden.1", "hidden.2")
    ]
    last = study.children[-1]
    assert last.point == {"seed": 1, "analyses.clusters.min_cluster_size": 8, "layer": "hidden.2"}
    assert last.experiment.seed == 1
    assert last.experiment.layer == "hidden.2"
    assert last.experiment.analyses["clusters"].to_plain()["min_cluster_size"] == 8


def test_zipped_values_go_together(project: Path) -> None:
    study = changed(project, "labels:", "sweep: {zip: {layer: [hidden.1, hidden.2], seed: [3, 4]}}\nlabels:")
    assert [(c.experiment.layer, c.experiment.seed) for c in study.children] == [
        ("hidden.1", 3),
        ("hidden.2", 4),
    ]


def test_swept_names_replace_the_whole_value(project: Path) -> None:
    study = changed(
        project, "labels:", "sweep: {model: [digits-mlp, {use: small, hidden: [4, 4, 4]}]}\nlabels:"
    )
    assert [child.experiment.model.to_plain()["hidden"] for child in study.children] == [
        [64, 64, 64],
        [4, 4, 4],
    ]
    assert [child.names["model"] for child in study.children] == ["digits-mlp", "small"]


def test_a_wrong_swept_value_is_shown_in_the_sweep(project: Path) -> None:
    (problem,) = problems(project, "labels:", "sweep: {analyses.clusters.min_cluster_size: [5, 1]}\nlabels:")
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (12, 49)
    assert problem.message == "analyses.clusters.min_cluster_size must be a whole number of at least 2, not 1"


def test_an_override_of_a_swept_key_is_refused_as_it_would_do_nothing(project: Path) -> None:
    (problem,) = problems(project, "labels:", "sweep: {seed: [0, 1]}\nlabels:", overrides=("seed=5",))
    assert problem.message == "'seed' is swept, so this has no effect"
    study = load(project / "experiments" / "spec.yaml", overrides=["sweep.seed=null", "seed=5"])
    assert [child.experiment.seed for child in study.children] == [5]


def test_layer_patterns_take_the_networks_order_and_each_layer_once(project: Path) -> None:
    study = changed(project, "layer: hidden.3", "layer: [hidden.2, 'hidden.?', input]")
    assert [child.experiment.layer for child in study.children] == [
        "hidden.2",
        "hidden.1",
        "hidden.3",
        "input",
    ]
    assert study.resolved["layer"] == ["hidden.2", "hidden.1", "hidden.3", "input"]


def test_a_pattern_waits_for_a_model_that_must_be_built(project: Path) -> None:
    model = "model: {kind: torchvision, name: resnet18, layer_aliases: {early: layer1}}"
    study = changed(project, "model: digits-mlp\nlayer: hidden.3", f"{model}\nlayer: 'layer?'\n")
    assert [child.experiment.layer for child in study.children] == ["layer?"]
    built = study.with_layers(lambda _: ["conv1", "layer1", "layer1.0", "layer2"])
    assert [child.name for child in built.children] == ["spec layer=layer1", "spec layer=layer2"]
    with pytest.raises(SpecError, match=r"no layer fits 'layer\?'"):
        study.with_layers(lambda _: ["conv1"])


def test_controls_may_be_named_by_a_map(project: Path) -> None:
    study = changed(project, "[random_init]", "{few: random_init, many: {use: random_init, draws: 9}}")
    named = study.children[0].experiment.controls
    assert [(control.name, control.control.draws) for control in named] == [("few", 3), ("many", 9)]


def test_all_problems_come_at_once_sorted_by_place(project: Path) -> None:
    path = project / "experiments" / "spec.yaml"
    path.write_text(
        path.read_text()
        .replace("seed: 0", "seed: -1")
        .replace("digits-mlp", "digits-mpl")
        .replace("of: clusters}\nlabels", "of: clutsers}\nlabels")
        .replace("size: 5", "size: five")
    )
    with pytest.raises(SpecError) as caught:
        load(path, overrides=["about=1", "extra=1"])
    lines = [(p.place.file, p.place.line) for p in caught.value.problems if p.place is not None]
    assert lines == [
        ("--set", 1),
        ("--set", 1),
        *(("experiments/spec.yaml", line) for line in (3, 4, 10, 11)),
    ]


def test_places_of_paths_lead_into_the_spec_and_not_into_the_registry(project: Path) -> None:
    study = load(project / "experiments" / "spec.yaml")
    found = {
        path: study.place_of(path) for path in ("model", "analyses.quality", "layer", "analyses.nothing", "")
    }
    assert {path: (place.line, place.column) for path, place in found.items() if place is not None} == {
        "model": (4, 1),
        "analyses.quality": (11, 3),
        "layer": (5, 1),
        "analyses.nothing": (9, 1),
        "": (1, 1),
    }


def test_a_spec_from_python_is_read_like_a_file(project: Path) -> None:
    plain = load(project / "experiments" / "spec.yaml").resolved
    study = loads(plain, overrides=["seed=3"])
    assert study.source is None
    assert study.children[0].experiment.seed == 3
    with pytest.raises(SpecError, match="seed must be a whole number"):
        loads({**plain, "seed": "three"})


def test_a_spec_from_python_must_be_plain_data(project: Path) -> None:
    plain = load(project / "experiments" / "spec.yaml").resolved
    with pytest.raises(UsageError, match="plain data"):
        loads({**plain, "seed": object()})


def test_a_registry_folder_can_be_given(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "models").mkdir(parents=True)
    (other / "models" / "small.yaml").write_text(ENTRY.replace("[16, 8]", "[2, 2, 2]"))
    path = project / "experiments" / "spec.yaml"
    study = load(path, overrides=["model=small"], registry=other)
    assert study.children[0].experiment.model.to_plain()["hidden"] == [2, 2, 2]
