"""Recipes: plain data from which any process puts together the same network on the same examples."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from polylens.assembly import Recipe, assemble, open_examples
from polylens.controls import Control
from polylens.controls.checkpoint import Checkpoint
from polylens.datasets import Dataset
from polylens.errors import StoreError, UsageError
from polylens.models import Model
from polylens.store import Store

FRESH = {"kind": "mlp", "inputs": 64, "hidden": [6], "classes": 10}
TRAINED = {**FRESH, "training": {"epochs": 2, "optimizer": "sgd"}}
SCANNED = {"kind": "torchvision", "name": "resnet18", "weights": {"preset": "IMAGENET1K_V1"}}


def recipe(model: dict[str, object] = FRESH, control: str = "", **fields: object) -> Recipe:
    return Recipe(
        model=Model.model_validate(model),
        dataset=Dataset.model_validate({"kind": "digits", "split": "test"}),
        seed=3,
        control=Control.model_validate({"kind": control, "draws": 2}) if control else None,
        **fields,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def state(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in network.state_dict().values()])


@pytest.mark.parametrize("model", [FRESH, TRAINED, SCANNED], ids=["fresh", "trained", "torchvision"])
@pytest.mark.parametrize("control", ["", "random_init", "shuffled_weights", "random_labels", "second_seed"])
def test_a_recipe_comes_back_equal_from_json(model: dict[str, object], control: str) -> None:
    written = recipe(model, control, draw=1, limit=7, training="abc")
    again = Recipe.from_plain(json.loads(json.dumps(written.to_plain())))
    assert again == written
    assert again.to_plain() == written.to_plain()


def test_two_processes_put_together_the_same_network(store: Store, tmp_path: Path) -> None:
    there = Recipe.from_plain(recipe(control="shuffled_weights").to_plain())
    networks = [
        assemble(one, open_examples(one, root=tmp_path), store=store, root=tmp_path)
        for one in (recipe(control="shuffled_weights"), there)
    ]
    assert torch.equal(*(state(network.module) for network in networks))
    assert not networks[0].module.training
    assert not any(parameter.requires_grad for parameter in networks[0].module.parameters())


@pytest.mark.parametrize("control", ["random_init", "shuffled_weights"])
def test_each_draw_of_a_control_is_a_network_of_its_own(control: str, store: Store, tmp_path: Path) -> None:
    recipes = [recipe(), recipe(control=control), recipe(control=control, draw=1)]
    examples = open_examples(recipes[0], root=tmp_path)
    states = [state(assemble(one, examples, store=store, root=tmp_path).module) for one in recipes]
    assert not torch.equal(states[0], states[1])
    assert not torch.equal(states[1], states[2])


def test_stored_weights_are_put_in(store: Store, tmp_path: Path) -> None:
    module = recipe(TRAINED).model.build(torch.Generator().manual_seed(9))
    with store.write_stage("training", "abc", about={}) as folder:
        assert folder is not None
        save_file(module.state_dict(), folder / "weights.safetensors")
    trained = recipe(TRAINED, training="abc")
    network = assemble(trained, open_examples(trained, root=tmp_path), store=store, root=tmp_path)
    assert torch.equal(state(network.module), state(module))
    assert network.example_input is not None
    assert network.example_input.shape == (1, 64)


def test_weights_that_are_not_stored_are_an_error(store: Store, tmp_path: Path) -> None:
    missing = recipe(TRAINED, training="abc")
    with pytest.raises(StoreError, match="holds no training abc"):
        assemble(missing, open_examples(missing, root=tmp_path), store=store, root=tmp_path)


def test_controls_start_from_the_weights_they_ask_for() -> None:
    assert recipe(TRAINED, "shuffled_weights").weighted_model == recipe(TRAINED).model
    assert recipe(TRAINED, "second_seed").weighted_model == recipe(TRAINED).model
    assert recipe(TRAINED, "random_init").weighted_model == recipe(FRESH).model
    permuted = recipe(TRAINED, "random_labels").weighted_model.training_here()
    assert permuted is not None
    assert permuted.targets == "shuffled"
    with pytest.raises(UsageError, match="random_labels"):
        _ = recipe(FRESH, "random_labels").weighted_model


def test_a_checkpoint_has_the_randomness_of_the_network_itself() -> None:
    own = recipe(TRAINED)
    first = replace(own, control=Checkpoint(epochs=0))
    assert first.weight_streams == own.weight_streams
    assert first.weighted_model == recipe(FRESH).model
    assert Recipe.from_plain(first.to_plain()) == first
    with pytest.raises(UsageError, match="checkpoint"):
        _ = replace(recipe(FRESH), control=Checkpoint(epochs=1)).weighted_model


def test_only_controls_with_weights_of_their_own_draw_them_anew() -> None:
    own = recipe(TRAINED).weight_streams
    assert recipe(TRAINED, "shuffled_weights").weight_streams == own
    others = [
        recipe(TRAINED, control, draw=draw).weight_streams
        for control in ("random_init", "random_labels", "second_seed")
        for draw in (0, 1)
    ]
    assert len({streams.path for streams in (own, *others)}) == 7


def test_a_limit_shortens_what_is_looked_at_and_not_what_is_trained_on(tmp_path: Path) -> None:
    short, whole = recipe(limit=20), recipe()
    assert len(open_examples(short, root=tmp_path)) == 20
    train = [open_examples(one, root=tmp_path, split="train") for one in (short, whole)]
    assert train[0].ids == train[1].ids
    assert not {*train[0].ids} & {*open_examples(whole, root=tmp_path).ids}
    assert np.unique(train[0].targets).size == 10
