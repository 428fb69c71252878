"""The layers of a spec's network, for people and for scripts, without any rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tests.projects import Project

import polylens
from polylens.errors import UsageError

GROUPS = {"groups": {"kind": "kmeans", "on": "activation", "clusters": 3, "subsamples": 0}}
MODEL = {"kind": "mlp", "inputs": 64, "hidden": [8, 6], "classes": 10}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    return Project(tmp_path)


def small(project: Project, **changes: object) -> Path:
    base = {"model": MODEL, "layer": "hidden.2", "code": None, "controls": None, "labels": None}
    return project.spec(**base | {"analyses": GROUPS} | changes)


def test_each_layer_has_its_width_and_the_kinks_of_its_units(project: Project) -> None:
    layers = polylens.layers(small(project))
    by_name = {layer.name: layer for layer in layers}
    assert (by_name["hidden.1"].width, by_name["hidden.2"].width, by_name["output"].width) == (8, 6, 10)
    assert [item.in_words for item in by_name["hidden.2"].nonlinearities] == ["relu: kink at 0"]
    assert by_name["output"].nonlinearities == ()
    assert [layer.name for layer in layers if layer.is_asked_for] == ["hidden.2"]
    assert len(layers.table()) == len(layers)
    assert len(repr(layers)) < 300
    assert not (project.folder / ".polylens").exists()


def test_one_s_own_module_has_layers_too_and_smooth_units_are_called_so(project: Project) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(64, 5), torch.nn.GELU(), torch.nn.Linear(5, 3))
    spec = small(project, model={"kind": "given", "name": "my <net>"}, layer="1")
    layers = polylens.layers(spec, model=module, input_shape=(64,))
    assert [item.in_words for item in {layer.name: layer for layer in layers}["1"].nonlinearities] == [
        "gelu: smooth"
    ]
    # Text from a spec is escaped where it is shown.
    assert "Layers of my &lt;net&gt;" in layers._repr_html_()


def test_a_sweep_over_networks_is_refused_where_one_is_wanted(project: Project) -> None:
    spec = small(project, sweep={"model.hidden": [[8, 6], [4, 6]]})
    assert len(json.loads(project.call("layers", spec, "--json").stdout)["networks"]) == 2
    with pytest.raises(UsageError, match="the spec asks for 2 networks"):
        polylens.layers(spec)


def test_the_command_lists_layers_of_a_spec_whose_layer_is_wrong(project: Project) -> None:
    done = project.call("layers", small(project, layer="hiden.2"))
    assert done.returncode == 0
    assert "hidden.2 " in done.stdout
    assert "> " not in done.stdout
    marked = project.call("layers", small(project)).stdout
    assert "> hidden.2" in marked
    assert "relu: kink at 0" in marked


def test_a_spec_for_a_module_from_python_is_checked_without_it(project: Project) -> None:
    spec = small(project, model="given", layer="1")
    done = project.call("validate", spec)
    assert (done.returncode, done.stderr) == (0, "")
    assert "fine, as far as it says (the model is given from Python; layers not checked)" in done.stdout
    done = project.call("run", spec)
    assert done.returncode == 2
    assert "the model is given from Python, and no module came with this spec" in done.stderr
    assert "polylens.run(SPEC, model=my_module, input_shape=(...))" in done.stderr
    wrong = project.call("validate", small(project, model={"kind": "given", "nam": "x"}, seed="x"))
    assert wrong.returncode == 2
    assert "unknown key 'nam' in model (given)" in wrong.stderr
    assert "no module came" not in wrong.stderr


def test_the_name_of_a_module_is_the_spec_s_or_its_class(project: Project) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(64, 5), torch.nn.ReLU())
    for model, name in (("given", "Sequential"), ({"kind": "given", "name": "mine"}, "mine")):
        study = polylens.load_spec(small(project, model=model, layer="1"), model=module, input_shape=(64,))
        assert study.children[0].names["model"] == name


def test_a_key_that_pyyaml_made_true_is_refused_with_these_words() -> None:
    with pytest.raises(UsageError, match=r"the key True in 'analyses.clusters' is no text") as caught:
        polylens.load_spec({"analyses": {"clusters": {"kind": "hdbscan", True: "activation"}}})
    assert caught.value.hint is not None
    assert "PyYAML reads `on:`" in caught.value.hint
