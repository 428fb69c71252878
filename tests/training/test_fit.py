"""Training: the same seed gives the same weights, in silence, and failures are said."""

from __future__ import annotations

import json
import os
import signal
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from polylens.devices import Options, torch_threads
from polylens.errors import DataError
from polylens.models import Training
from polylens.models.mlp import Mlp
from polylens.progress import Silent
from polylens.records import Examples, ImageFormat, Network
from polylens.store import load_table
from polylens.streams import Streams
from polylens.training import accuracy, fit
from polylens.training import batches as batches_module
from polylens.training.batches import EpochOrder


class Points(Examples):
    """Points on a line; the class is the sign."""

    def __init__(self, n_examples=40, *, classes=("minus", "plus"), bad=False):
        values = np.linspace(-1, 1, n_examples, dtype=np.float32)
        self.ids = tuple(map(str, range(n_examples)))
        self.targets = (values > 0).astype(np.int64)
        self.classes = classes
        self.fingerprint = "points"
        self._inputs = torch.tensor(values * (np.nan if bad else 1)).reshape(-1, 1)

    def batch(self, indices):
        return self._inputs[list(indices)]

    def context(self, index):
        raise NotImplementedError


def network(*, dropout=0.0):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Linear(1, 8), torch.nn.ReLU(), torch.nn.Dropout(dropout), torch.nn.Linear(8, 2)
        )


CPU = Options(accelerator="cpu")


def train(folder, *, seed=0, module=None, examples=None, options=CPU, **settings):
    folder.mkdir(parents=True, exist_ok=True)
    module = module or network()
    training = Training(**{"epochs": 20, "batch_size": 8, "learning_rate": 1e-2, **settings})
    fit(
        module, examples or Points(), training=training, streams=Streams(seed), folder=folder, options=options
    )
    return module


@pytest.mark.parametrize("threads", [1, 2])
def test_training_takes_as_many_threads_as_its_recipe_says_whatever_the_process_has(tmp_path, threads):
    seen = set()

    class Watched(torch.nn.Linear):
        def forward(self, inputs):
            if self.training:
                seen.add(torch.get_num_threads())
            return super().forward(inputs)

    for outside in (1, 3):
        with torch_threads(outside):
            module = torch.nn.Sequential(Watched(1, 2))
            train(tmp_path / str(outside), module=module, epochs=1, threads=threads)
            assert torch.get_num_threads() == outside, "the process' own number is put back"
    assert seen == {threads}


def test_the_number_of_threads_is_part_of_a_trainings_identity():
    model = Mlp(inputs=4, hidden=(3,), classes=2, training=Training())
    other = model.model_copy(update={"training": Training(threads=2)})
    assert model.identity()["training"]["threads"] == 1
    assert model.identity() != other.identity()
    assert other.with_targets("shuffled").training_here().threads == 2
    assert other.after_epochs(1).training_here().threads == 2


def test_a_separable_problem_is_learned_and_written_down(tmp_path):
    module = train(tmp_path, epochs=40)
    history = load_table(tmp_path / "history.parquet")
    assert list(history.columns) == ["epoch", "loss", "accuracy"]
    assert list(history.epoch) == list(range(1, 41))
    assert history.loss.iloc[-1] < history.loss.iloc[0] / 2
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["steps"] == 40 * 5  # 40 examples in batches of 8
    assert summary["parameters"] == 16 + 18
    assert not module.training
    stored = load_file(tmp_path / "weights.safetensors")
    assert all(torch.equal(stored[name], value) for name, value in module.state_dict().items())
    number = accuracy(Network("points", module, ImageFormat()), Points(), options=CPU)
    assert number.value >= 0.95
    assert number.low < number.value <= number.high
    assert number.chance == 0.5


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_same_seed_gives_the_same_weights_and_another_gives_others(tmp_path, dropout):
    torch.manual_seed(1)
    train(tmp_path / "a", module=network(dropout=dropout))
    torch.manual_seed(2)  # the global stream must not matter
    train(tmp_path / "b", module=network(dropout=dropout))
    train(tmp_path / "c", module=network(dropout=dropout), seed=1)
    first, again, other = ((tmp_path / name / "weights.safetensors").read_bytes() for name in "abc")
    assert first == again
    assert first != other


@pytest.mark.parametrize("settings", [{}, {"optimizer": "sgd", "weight_decay": 0.1}])
def test_a_training_that_is_stopped_earlier_is_the_longer_one_on_its_way(tmp_path, settings):
    longer, seen = network(dropout=0.3), []
    longer.register_forward_pre_hook(
        lambda module, _: seen.append({name: value.clone() for name, value in module.state_dict().items()})
    )
    train(tmp_path / "longer", module=longer, epochs=3, **settings)
    shorter = train(tmp_path / "shorter", module=network(dropout=0.3), epochs=2, **settings)
    # One look at the scores before training, then 5 steps an epoch: the first of the third epoch.
    after = seen[1 + 2 * 5]
    assert all(torch.equal(after[name], value) for name, value in shorter.state_dict().items())


def test_batches_prepared_on_the_way_give_the_same_weights(tmp_path, monkeypatch):
    train(tmp_path / "a")
    monkeypatch.setattr(batches_module, "_FITS_IN_MEMORY", 0)
    train(tmp_path / "b")
    train(tmp_path / "c", options=Options(accelerator="cpu", workers=1))
    first, lazily, loaded = ((tmp_path / name / "weights.safetensors").read_bytes() for name in "abc")
    assert first == lazily == loaded


def test_several_devices_and_other_precisions_change_nothing(tmp_path):
    train(tmp_path / "a")
    train(
        tmp_path / "b", options=Options(accelerator="cpu", devices=2, strategy="ddp", precision="bf16-mixed")
    )
    assert (tmp_path / "a/weights.safetensors").read_bytes() == (
        tmp_path / "b/weights.safetensors"
    ).read_bytes()


def test_every_epoch_sees_every_example_once_in_an_order_of_its_own():
    order = EpochOrder(10, batch_size=4, streams=Streams(0))
    epochs = []
    for epoch in (0, 1, 0):
        order.set_epoch(epoch)
        epochs.append([index for batch in order for index in batch])
    assert len(order) == 3
    assert sorted(epochs[0]) == list(range(10))
    assert epochs[0] == epochs[2] != epochs[1]


def test_the_orders_of_a_run_are_those_of_its_epochs(tmp_path):
    seen = []

    class Watched(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network()

        def forward(self, inputs):
            if self.training:
                seen.append(inputs[:, 0].tolist())
            return self.inner(inputs)

    train(tmp_path, module=Watched(), epochs=3, batch_size=20)
    order = EpochOrder(40, batch_size=20, streams=Streams(0))
    expected = []
    for epoch in range(3):
        order.set_epoch(epoch)
        expected += [Points().batch(batch)[:, 0].tolist() for batch in order]
    assert seen == expected


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_weight_decay_of_sgd_is_apart_from_the_gradient(tmp_path, decay):
    # A network whose output does not depend on this weight: only decay moves it.
    class Unused(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network()
            self.unused = torch.nn.Parameter(torch.ones(1))

        def forward(self, inputs):
            return self.inner(inputs) + 0 * self.unused

    module = Unused()
    train(
        tmp_path,
        module=module,
        optimizer="sgd",
        learning_rate=0.1,
        weight_decay=decay,
        epochs=2,
        batch_size=20,
    )
    # 4 steps, each times 1 - 0.1 * decay.
    assert module.unused.item() == pytest.approx((1 - 0.1 * decay) ** 4)


def test_nothing_is_printed(tmp_path, capfd):
    train(tmp_path)
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


def test_a_loss_that_is_not_finite_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"the loss became nan in epoch 1") as caught:
        train(tmp_path, examples=Points(bad=True))
    assert "learning_rate" in str(caught.value)
    assert not (tmp_path / "weights.safetensors").exists()


def test_examples_without_classes_and_too_few_scores_are_refused(tmp_path):
    nameless = Points()
    nameless.targets = None
    with pytest.raises(DataError, match="needs examples with classes"):
        train(tmp_path, examples=nameless)
    with pytest.raises(DataError, match=r"gives \(2,\) scores .* 3 classes"):
        train(tmp_path, examples=Points(classes=("a", "b", "c")))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reaches_the_caller_and_the_next_one_too(tmp_path, number):
    class Interrupting(Silent):
        """Interrupts the program as the user would, once training runs."""

        def task(self, title, *, total, unit):
            threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
            return super().task(title, total=total, unit=unit)

    def on_signal(*_):
        raise KeyboardInterrupt

    before = signal.signal(number, on_signal)
    try:
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                fit(
                    network(),
                    Points(),
                    training=Training(epochs=100_000),
                    streams=Streams(0),
                    folder=tmp_path,
                    options=CPU,
                    progress=Interrupting(),
                )
            assert signal.getsignal(number) is on_signal
    finally:
        signal.signal(number, before)


def test_shuffled_classes_cannot_be_generalised(tmp_path):
    examples = Points(200)
    module = train(tmp_path, examples=examples, targets="shuffled", epochs=5)
    number = accuracy(Network("points", module, ImageFormat()), examples, options=CPU)
    assert 0.2 < number.value < 0.8
    true = train(tmp_path, examples=examples, epochs=5)
    assert accuracy(Network("points", true, ImageFormat()), examples, options=CPU).value > 0.9


def test_the_callers_switches_are_put_back(tmp_path):
    state = torch.random.get_rng_state()
    train(tmp_path)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()
