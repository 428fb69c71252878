from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from polylens.assembly import Recipe, assemble
from polylens.controls.checkpoint import Checkpoint
from polylens.controls.random_init import RandomInit
from polylens.controls.random_labels import RandomLabels
from polylens.controls.second_seed import SecondSeed
from polylens.controls.shuffled_weights import ShuffledWeights
from polylens.datasets import Opening
from polylens.datasets.digits import Digits
from polylens.errors import UsageError
from polylens.models import Model, Training
from polylens.models.cnn import Cnn
from polylens.models.mlp import Mlp
from polylens.models.torchvision import Torchvision
from polylens.models.transformers import Transformers
from polylens.progress import Progress
from polylens.records import Examples, Network
from polylens.store import Store
from polylens.streams import Streams

NORMED = Cnn(image_size=8, channels=(4, 6), classes=10, norm="batch")


def network_of(model: Model, *, seed: int = 0) -> Network:
    module = model.build(torch.Generator().manual_seed(seed))
    return Network(name=model.kind(), module=module, input_format=model.input_format())


def digits_for(model: Model, *, limit: int | None = None) -> Examples:
    return Digits().open(model.input_format(), Opening(Streams(0), Path(), limit))


def state(network: Network) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.module.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("control", [RandomInit(), ShuffledWeights()])
def test_the_given_network_is_not_modified_and_the_result_is_in_eval_mode(
    control: RandomInit | ShuffledWeights,
) -> None:
    network = network_of(NORMED)
    before = state(network)
    changed = control.apply(network, digits_for(NORMED), Streams(1))
    assert same(before, state(network))
    assert not same(before, state(changed))
    assert not any(part.training for part in changed.module.modules())
    assert [part.momentum for part in changed.module.modules() if isinstance(part, nn.BatchNorm2d)] == [
        0.1,
        0.1,
    ]


@pytest.mark.parametrize("control", [RandomInit(), ShuffledWeights()])
def test_a_draw_follows_its_stream_alone(control: RandomInit | ShuffledWeights) -> None:
    network, examples = network_of(NORMED), digits_for(NORMED)
    one, two, other = (state(control.apply(network, examples, Streams(seed))) for seed in (1, 1, 2))
    assert same(one, two)
    assert not same(one, other)


def test_recalibrated_statistics_are_the_plain_means_over_the_batches() -> None:
    network, examples = network_of(NORMED), digits_for(NORMED, limit=40)
    changed = RandomInit(calibration_examples=64).apply(network, examples, Streams(1))
    # All 40 examples in two batches of 20: the mean of means and of (unbiased) variances.
    order = Streams(1).generator("calibration").choice(40, size=40, replace=False)
    first = dict(network.module.named_modules())["block.1.conv"]
    with torch.no_grad():
        batches = [first(examples.batch(part.tolist())) for part in (order[::2], order[1::2])]
    mean = torch.stack([batch.mean(dim=(0, 2, 3)) for batch in batches]).mean(0)
    variance = torch.stack([batch.var(dim=(0, 2, 3)) for batch in batches]).mean(0)
    norm = dict(changed.module.named_modules())["block.1.norm"]
    assert torch.allclose(norm.running_mean, mean, atol=1e-6)
    assert torch.allclose(norm.running_var, variance, atol=1e-6)


def test_after_recalibration_every_norm_gives_numbers_of_order_one() -> None:
    network, examples = network_of(NORMED), digits_for(NORMED)
    changed = RandomInit().apply(network, examples, Streams(1))
    found: dict[str, torch.Tensor] = {}
    for name, part in changed.module.named_modules():
        if name.endswith("norm"):
            part.register_forward_hook(lambda _m, _i, output, name=name: found.update({name: output}))
    with torch.no_grad():
        changed.module(examples.batch(range(256)))
    assert len(found) == 2
    for output in found.values():
        assert output.mean().abs() < 0.1
        assert 0.8 < output.std() < 1.2


def test_random_init_draws_no_weights_itself() -> None:
    plain = Cnn(image_size=8, channels=(4, 6), classes=10)
    network = network_of(plain)
    assert not RandomInit.has_learnt
    assert same(state(network), state(RandomInit().apply(network, digits_for(plain), Streams(1))))


class WithDropout(nn.Module):
    """A batch norm behind a dropout, which would let other numbers through in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(64)
        self.untracked = nn.BatchNorm1d(64, track_running_stats=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.untracked(self.norm(self.dropout(inputs)))
        return out


def test_dropout_stays_off_and_norms_without_statistics_are_left_alone() -> None:
    examples = Digits().open(
        NORMED.input_format().__class__(channels=1, flatten=True), Opening(Streams(0), Path(), limit=20)
    )
    network = Network(name="", module=WithDropout().eval(), input_format=NORMED.input_format())
    changed = RandomInit().apply(network, examples, Streams(1))
    expected = examples.batch(range(20)).mean(0)
    assert torch.allclose(changed.module.norm.running_mean, expected, atol=1e-6)  # type: ignore[union-attr,arg-type]


def test_one_example_is_too_few_to_recalibrate_on() -> None:
    with pytest.raises(UsageError, match="fewer than 2 examples"):
        RandomInit().apply(network_of(NORMED), digits_for(NORMED, limit=1), Streams(1))


def test_shuffled_weights_keep_each_tensors_numbers_and_move_them() -> None:
    model = Cnn(image_size=8, channels=(4, 6), classes=10)
    network = network_of(model)
    with torch.no_grad():
        for parameter in network.module.parameters():
            parameter.copy_(torch.arange(parameter.numel()).reshape(parameter.shape))
    changed = ShuffledWeights().apply(network, digits_for(model), Streams(1))
    for name, before in network.module.named_parameters():
        after = dict(changed.module.named_parameters())[name]
        assert torch.equal(after.flatten().sort().values, before.flatten())
        assert not torch.equal(after, before)


def test_each_tensor_is_shuffled_by_a_stream_of_its_own_name() -> None:
    network = network_of(NORMED)
    changed = ShuffledWeights().apply(network, digits_for(NORMED), Streams(1))
    before, after = state(network)["output.weight"], state(changed)["output.weight"]
    order = Streams(1).generator("shuffle", "output.weight").permutation(before.numel())
    assert np.array_equal(after.flatten().numpy(), before.flatten().numpy()[order])


@pytest.mark.parametrize(("control", "targets"), [(RandomLabels(), "shuffled"), (SecondSeed(), "true")])
def test_controls_of_training_ask_for_other_weights_and_change_nothing_else(
    control: RandomLabels | SecondSeed, targets: str
) -> None:
    network = network_of(NORMED)
    start = control.start(NORMED.model_copy(update={"training": Training(epochs=1)}))
    assert start is not None
    training = start.training_here()
    assert training is not None
    assert training.targets == targets
    assert control.has_own_draws
    assert control.needs_training
    assert control.apply(network, digits_for(NORMED), Streams(1)) is network


def test_recalibration_brings_untrained_googlenet_back_to_life() -> None:
    model = Torchvision(name="googlenet", image_size=64, classes=10)
    examples = digits_for(model, limit=24)
    network = network_of(model)
    changed = RandomInit(calibration_examples=24).apply(network, examples, Streams(1))
    size: list[float] = []
    for module in (network.module, changed.module):
        # What batch norm hands to the ReLU in the last block.
        norm = dict(module.named_modules())["inception5b.branch1.bn"]
        handle = norm.register_forward_hook(lambda _m, _i, output: size.append(output.std().item()))
        with torch.no_grad():
            module(examples.batch(range(24)))
        handle.remove()
    dead, alive = size
    print(f"pre-activations of the last block: {dead:.1e} before, {alive:.1e} after recalibration")
    assert dead < 1e-8
    assert 0.3 < alive < 3


def test_a_checkpoint_is_the_model_after_fewer_epochs_or_at_another_revision() -> None:
    trained = Mlp(inputs=4, hidden=(3,), classes=2, training=Training(epochs=5))
    earlier = Checkpoint(epochs=2).start(trained)
    assert earlier == trained.model_copy(update={"training": Training(epochs=2)})
    assert Checkpoint(epochs=0).start(trained) == trained.untrained()
    assert Checkpoint(epochs=2).apply(network_of(NORMED), digits_for(NORMED), Streams(1)).module
    hub = Transformers(source="owner/name", revision="a" * 40)
    later = Checkpoint(revision="b" * 40).start(hub)
    assert later == Transformers(source="owner/name", revision="b" * 40)


@pytest.mark.parametrize(
    ("control", "model", "message"),
    [
        (
            Checkpoint(epochs=5),
            Mlp(inputs=4, hidden=(3,), classes=2, training=Training(epochs=5)),
            "trained for 5",
        ),
        (Checkpoint(epochs=1), Mlp(inputs=4, hidden=(3,), classes=2), "not trained here"),
        (Checkpoint(revision="b" * 40), Mlp(inputs=4, hidden=(3,), classes=2), "this model has none"),
    ],
)
def test_a_checkpoint_that_a_model_has_not_is_refused_in_words(
    control: Checkpoint, model: Model, message: str
) -> None:
    refused = control.why_not(model)
    assert refused is not None
    assert message in refused[0]
    assert refused[1]


def test_a_checkpoint_is_named_by_one_thing_and_drawn_once() -> None:
    assert Checkpoint().start(NORMED) is None
    for wrong in ({"epochs": 1, "revision": "a" * 40}, {"epochs": 1, "draws": 2}, {"revision": "main"}):
        with pytest.raises(ValueError, match=r"checkpoint|draws|revision"):
            Checkpoint.model_validate(wrong)


def test_a_weight_that_is_computed_is_shuffled_as_the_network_uses_it() -> None:
    torch.manual_seed(0)
    normed = nn.utils.parametrizations.spectral_norm(nn.Linear(64, 5)).eval()
    network = Network(name="", module=normed, input_format=NORMED.input_format())
    changed = ShuffledWeights().apply(network, digits_for(NORMED), Streams(1)).module
    torch.testing.assert_close(changed.weight.flatten().sort().values, normed.weight.flatten().sort().values)
    assert not torch.equal(changed.weight, normed.weight)


class Hidden(nn.Module):
    """A layer in a plain list, which PyTorch does not see."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(3, 3)
        self.hidden = [nn.Linear(3, 3)]


@pytest.mark.parametrize(
    ("module", "message"), [(Hidden(), r"hidden\[0\]\.weight"), (nn.ReLU(), "no parameters")]
)
def test_learnt_numbers_that_would_stay_in_place_are_refused(module: nn.Module, message: str) -> None:
    network = Network(name="", module=module.eval(), input_format=NORMED.input_format())
    with pytest.raises(UsageError, match=message):
        ShuffledWeights().apply(network, digits_for(NORMED), Streams(1))


def test_an_untrained_network_is_given_no_weights_whatever_its_kind_would_load(tmp_path: Path) -> None:
    class Forgetful(Cnn):
        def load(self, module: nn.Module, *, root: Path, progress: Progress | None = None) -> nn.Module:
            raise AssertionError("weights were asked for")

    model = Forgetful(image_size=8, channels=(2,), classes=10)
    recipe = Recipe(model=model, dataset=Digits(), seed=0, control=RandomInit(), limit=4)
    assemble(recipe, digits_for(model, limit=4), store=Store(tmp_path), root=tmp_path)
    with pytest.raises(AssertionError, match="asked for"):
        assemble(
            replace(recipe, control=None), digits_for(model, limit=4), store=Store(tmp_path), root=tmp_path
        )


@pytest.mark.parametrize(
    "model",
    [
        Mlp(inputs=64, hidden=(5,), classes=10),
        NORMED,
        Torchvision(name="shufflenet_v2_x0_5", image_size=32, classes=10),
    ],
    ids=lambda model: str(getattr(model, "name", model.kind())),
)
def test_random_init_of_a_shipped_kind_has_no_number_of_the_network(model: Model, tmp_path: Path) -> None:
    recipe, examples = Recipe(model=model, dataset=Digits(), seed=0), digits_for(model, limit=2)
    own, fresh = (
        assemble(each, examples, store=Store(tmp_path), root=tmp_path).module
        for each in (recipe, replace(recipe, control=RandomInit()))
    )
    for (name, before), after in zip(own.named_parameters(), fresh.parameters(), strict=True):
        is_constant = bool((before == before.flatten()[0]).all())
        assert is_constant or not torch.equal(before, after), name


class Deaf(nn.Module):
    """A layer whose weights are copied into an array once, which is what it computes with."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(64, 5)
        self.numbers = self.dense.weight.detach().numpy().copy()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.flatten(1) @ torch.from_numpy(self.numbers).T


def beginning_blank(examples: Examples) -> Examples:
    """The examples, of which the first says nothing."""
    batch = examples.batch
    examples.batch = lambda indices: batch(indices) * (torch.tensor(indices) > 0).reshape(-1, 1, 1, 1)  # type: ignore[method-assign]
    return examples


def test_one_blank_example_says_nothing_of_whether_weights_are_shuffled() -> None:
    without_biases = nn.Sequential(nn.Flatten(), nn.Linear(64, 5, bias=False), nn.Softmax(dim=1)).eval()
    network = Network(name="", module=without_biases, input_format=NORMED.input_format())
    changed = ShuffledWeights().apply(network, beginning_blank(digits_for(NORMED)), Streams(1)).module
    assert not torch.equal(changed[1].weight, without_biases[1].weight)
    network = Network(name="", module=Deaf().eval(), input_format=NORMED.input_format())
    with pytest.raises(UsageError, match="outputs would stay exactly as they are"):
        ShuffledWeights().apply(network, beginning_blank(digits_for(NORMED)), Streams(1))
