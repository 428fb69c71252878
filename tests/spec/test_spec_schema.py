"""The JSON Schema accepts and refuses what the kinds do."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from polylens.catalog import Catalog
from polylens.errors import SpecError
from polylens.plugin import FAMILIES
from polylens.reading import read
from polylens.spec import loads
from polylens.spec.schema import schemas


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Draft202012Validator:
    schema = schemas(Catalog.around(tmp_path_factory.mktemp("empty")))["experiment.schema.json"]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture
def plain(spec_text: str, folder: Path) -> dict[str, Any]:
    found = read(spec_text, file="spec.yaml").value
    assert isinstance(found, dict)
    return found


def loads_well(plain: dict[str, Any]) -> bool:
    try:
        loads(plain)
    except SpecError:
        return False
    return True


def put(plain: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(plain)
    *above, last = path.split("/")
    node = changed
    for part in above:
        node = node[part]
    if value is Ellipsis:
        del node[last]
    else:
        node[last] = value
    return changed


ACCEPTED: list[tuple[str, Any]] = [
    ("version", 1),
    ("model", {"use": "digits-mlp"}),
    ("model", {"use": "digits-mlp", "training": {"epochs": 5}}),
    ("model", {"kind": "mlp", "inputs": 64, "hidden": [8, 8, 8], "classes": 10}),
    ("layer", ["hidden.1", "hidden.2"]),
    ("sampling", {"kind": "fixed_position", "at": "center"}),
    ("sampling", {"kind": "fixed_position", "at": [7, 7]}),
    ("sampling", {"kind": "fixed_position", "at": 3}),
    ("sampling", "center"),
    ("sampling", None),
    ("controls", []),
    ("controls", {"inits": {"kind": "random_init", "draws": 2}}),
    ("controls", ["random_labels", {"use": "random_init", "draws": 2}]),
    ("code", None),
    ("code", {"use": "own-signs", "pools": True}),
    ("labels", {}),
    ("labels", None),
    ("analyses/clusters/metric", "cosine"),
    ("analyses/clusters/min_samples", None),
    ("sweep", {"seed": [0, 1]}),
    ("sweep", {"zip": {"seed": [0, 1], "layer": ["input", "hidden.1"]}}),
    ("sweep", None),
]
REFUSED: list[tuple[str, Any]] = [
    ("version", 2),
    ("about", Ellipsis),
    ("about", ""),
    ("about", 5),
    ("claim", Ellipsis),
    ("seed", -1),
    ("seed", "0"),
    ("seed", 0.5),
    ("seed", True),
    ("sede", 0),
    ("model", Ellipsis),
    ("model", "digits-mpl"),
    ("model", {"use": "digits-mpl"}),
    ("model", {"use": "digits-mlp", "training": {"epoch": 5}}),
    ("model", {"use": "digits-mlp", "training": {"epochs": 0}}),
    ("model", {"use": "digits-mlp", "kind": "mlp"}),
    ("model", {"kind": "mpl"}),
    ("model", {"kind": "mlp", "inputs": 64, "classes": 10}),
    ("model", {"kind": "mlp", "inputs": 64, "hidden": [], "classes": 10}),
    ("model", {"kind": "mlp", "inputs": 64, "hidden": [0], "classes": 10}),
    ("model", {"hidden": [8]}),
    ("model", 5),
    ("layer", []),
    ("layer", [5]),
    ("layer", ["hidden.1", "hidden.1"]),
    ("layer", Ellipsis),
    ("sampling", {"kind": "fixed_position", "at": "middle"}),
    ("sampling", {"kind": "fixed_position", "at": [7]}),
    ("sampling", {"kind": "evenly_spaced", "coutn": 6}),
    ("sampling", {}),
    ("code", {"kind": "sign", "units": "own"}),
    ("code", {"kind": "sign", "units": "mine", "positions": "same"}),
    ("controls", "random_init"),
    ("controls", ["random_inits"]),
    ("controls", {"Inits": "random_init"}),
    ("analyses", Ellipsis),
    ("analyses", {}),
    ("analyses", []),
    ("analyses/Upper", {"kind": "kmeans", "on": "activation", "clusters": 2}),
    ("analyses/network", {"kind": "kmeans", "on": "activation", "clusters": 2}),
    ("analyses/clusters/min_cluster_size", 1),
    ("analyses/clusters/min_cluster_size", "5"),
    ("analyses/clusters/metric", "euclidian"),
    ("analyses/clusters/on", Ellipsis),
    ("analyses/quality/of", 5),
    ("labels/digits/of", Ellipsis),
    ("sweep", {}),
    ("sweep", {"seed": []}),
    ("sweep", {"seed": 0}),
    ("sweep", {"seed": [0, 0]}),
    ("sweep", {"zip": {}}),
]


@pytest.mark.parametrize(("path", "value"), ACCEPTED, ids=str)
def test_schema_and_kinds_accept(
    path: str, value: Any, plain: dict[str, Any], validator: Draft202012Validator
) -> None:
    changed = put(plain, path, value)
    assert loads_well(changed)
    assert list(validator.iter_errors(changed)) == []


@pytest.mark.parametrize(("path", "value"), REFUSED, ids=str)
def test_schema_and_kinds_refuse(
    path: str, value: Any, plain: dict[str, Any], validator: Draft202012Validator
) -> None:
    changed = put(plain, path, value)
    assert not loads_well(changed)
    assert not validator.is_valid(changed)


def test_a_spec_that_extends_another_says_only_what_it_changes(validator: Draft202012Validator) -> None:
    assert validator.is_valid({"extends": "base.yaml", "analyses": {"clusters": {"min_cluster_size": 9}}})
    assert validator.is_valid({"extends": "base.yaml", "code": None, "model": {"hidden": [8]}})
    assert not validator.is_valid({"extends": "base.yaml", "sede": 1})
    assert not validator.is_valid({"analyses": {"clusters": {"min_cluster_size": 9}}})


@pytest.mark.parametrize("family", FAMILIES)
def test_registry_entries_of_every_family_have_a_schema(family: str, folder: Path) -> None:
    catalog = Catalog.around(folder)
    schema = schemas(catalog)[f"{family}.schema.json"]
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    names = catalog.names(family)
    assert names
    for name in names:
        value = catalog.entry(family, name).document.value
        assert list(validator.iter_errors(value)) == []
        assert isinstance(value, dict)
        assert not validator.is_valid({**value, "license": "MIT"})
        assert not validator.is_valid({**value, "entry": {"kind": "nothing"}})
