"""What goes wrong from Python is said in one sentence, with the place in the spec where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import polylens
from polylens.errors import SpecError, UsageError

SPEC: dict[str, Any] = {
    "about": "x",
    "claim": "y",
    "seed": 0,
    "layer": "1",
    "dataset": "digits",
    "analyses": {"groups": {"kind": "kmeans", "on": "activation", "clusters": 3}},
}


def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.ReLU())


def test_problems_carry_their_place_and_what_is_known(folder: Path) -> None:
    with pytest.raises(SpecError) as caught:
        polylens.run(SPEC | {"layer": "7"}, model=network(), input_shape=(64,))
    assert (
        str(caught.value)
        == "<spec from Python>:4:1: the model has no layer '7'\n  layers: input, 0, 1, output"
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: polylens.load_spec(3), "a spec is a path or a dictionary, not int"),
        (lambda: polylens.load_spec(SPEC, model="resnet", input_shape=(64,)), "must be a torch.nn.Module"),
        (lambda: polylens.load_spec(SPEC, model=network()), "needs input_shape"),
        (lambda: polylens.load_spec(SPEC | {"model": network()}), "must be plain data"),
        (lambda: polylens.run(SPEC, model=network(), input_shape=(32,)), "one input of 32"),
    ],
)
def test_wrong_calls_are_answered_in_a_sentence(call: Any, says: str, folder: Path) -> None:
    with pytest.raises(UsageError, match=says):
        call()


def test_a_result_is_shown_on_a_few_lines(folder: Path) -> None:
    result = polylens.run(SPEC, model=network(), input_shape=(64,), limit=40)
    assert len(repr(result)) < 400
    with pytest.raises(UsageError, match="no analysis 'group'"):
        polylens.load_partition(result, "group")
    assert polylens.load_partition(result, "groups").n_clusters == 3
