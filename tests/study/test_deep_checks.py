"""Mistakes that show only once the network is built: found before anything is computed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.projects import SPEC

from polylens.devices import Options
from polylens.errors import SpecError
from polylens.progress import Silent
from polylens.settings import load_settings
from polylens.spec import loads
from polylens.study.checking import check_deep
from polylens.study.running import run_study

CNN = {"kind": "cnn", "channels": [4, 4], "classes": 10, "image_size": 8}
CLUSTERS = {"clusters": {"kind": "kmeans", "on": "activation", "clusters": 2}}


def spec_with(**changes: Any) -> dict[str, Any]:
    plain = SPEC | {"controls": None, "labels": None, "code": None, "analyses": CLUSTERS} | changes
    return {key: value for key, value in plain.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "said", "path"),
    [
        ({"model": CNN, "layer": "block.2"}, "'sampling' must say which become rows", "layer"),
        (
            {"model": CNN, "layer": "block.2", "sampling": {"kind": "fixed_position", "at": [99, 0]}},
            "position [99, 0] lies outside of the layer's grid",
            "sampling",
        ),
        (
            {"model": CNN, "layer": "block.2", "sampling": {"kind": "random_positions", "count": 999}},
            "no example can be sampled like this",
            "sampling",
        ),
        (
            {"layer": "input", "code": {"kind": "sign", "units": "own", "positions": "same"}},
            "has no units of its own",
            "code",
        ),
    ],
)
def test_each_mistake_stands_where_it_is_written(
    folder: object, changes: dict[str, Any], said: str, path: str
) -> None:
    with pytest.raises(SpecError) as caught:
        check_deep(loads(spec_with(**changes)))
    (problem,) = caught.value.problems
    assert said in problem.message
    assert problem.path == path
    assert problem.place is not None
    assert problem.place.text.startswith(f"{path}:")


def test_a_network_for_other_inputs_is_refused_before_it_is_trained(folder: Any) -> None:
    study = loads(spec_with(model=SPEC["model"] | {"inputs": 784}))
    with pytest.raises(
        SpecError, match="takes inputs of 784 numbers, the dataset's examples have 64 numbers"
    ):
        run_study(study, settings=load_settings(folder), options=Options(), progress=Silent())
    assert not list(folder.rglob("weights.safetensors"))
