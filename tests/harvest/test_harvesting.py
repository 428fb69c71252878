"""A harvest: one pass for all takes, rows that depend on the recipe alone, and going on after a stop."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from polylens.codes.sign import Sign
from polylens.devices import Options, in_fitting_batches
from polylens.errors import DataError, StoreError, UsageError
from polylens.harvest import Take, harvest, load_rows
from polylens.harvest import shard as shard_module
from polylens.progress import Silent
from polylens.records import Examples, ImageFormat, Network
from polylens.sampling import Sampling, TooFewPositionsError
from polylens.sampling.all_positions import AllPositions
from polylens.sampling.random_positions import RandomPositions
from polylens.store import Store
from polylens.streams import Streams

CPU = Options(accelerator="cpu")
SAME = Sign(units="own", positions="same")
WHOLE = Sign(units="downstream", positions="all", pools=True)
TWO = RandomPositions(count=2)


class Images(Examples):
    """Random images of one channel, 6 x 6 pixels."""

    def __init__(self, n_examples=20):
        generator = torch.Generator().manual_seed(0)
        self.inputs = torch.randn(n_examples, 1, 6, 6, generator=generator)
        self.ids = tuple(f"image-{index}" for index in range(n_examples))
        self.targets = np.arange(n_examples, dtype=np.int64) % 3
        self.classes = ("a", "b", "c")
        self.fingerprint = f"images-{n_examples}"

    def batch(self, indices):
        return self.inputs[list(indices)]

    def context(self, index):
        raise NotImplementedError


class Alarm(torch.nn.Module):
    """Raises when it is reached, once it is armed; counts forward passes otherwise."""

    def __init__(self):
        super().__init__()
        self.armed = False
        self.calls = 0

    def forward(self, tensor):
        if self.armed:
            raise AssertionError("the pass went on after the last layer needed")
        self.calls += 1
        return tensor


class Convolutional(torch.nn.Module):
    """Two convolutions with an in-place ReLU and a pool, and a dense end."""

    def __init__(self):
        super().__init__()
        self.start = Alarm()
        self.first = torch.nn.Conv2d(1, 3, 3, padding=1)
        self.unit = torch.nn.ReLU(inplace=True)
        self.pool = torch.nn.MaxPool2d(2)
        self.second = torch.nn.Conv2d(3, 9, 3)
        self.alarm = Alarm()
        self.last = torch.nn.Linear(9, 4)

    def forward(self, images):
        hidden = self.pool(self.unit(self.first(self.start(images))))
        hidden = torch.relu(self.second(hidden))
        return self.last(self.alarm(hidden.flatten(1)))


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Convolutional().eval().requires_grad_(requires_grad=False)
    module.start.calls = 0
    return Network("convolutional", module, ImageFormat(), aliases={"c1": "unit"})


def run(network, takes, root, *, examples=None, options=CPU, seed=0, **more):
    store = Store(root)
    done = harvest(
        network, examples or Images(), takes, streams=Streams(seed), store=store, options=options, **more
    )
    return store, done


def by_hand(network, examples):
    """The tensors of a plain forward pass."""
    module = network.module
    pre = module.first(examples.inputs)
    unit = torch.relu(pre)
    pooled, winners = torch.nn.functional.max_pool2d(unit, 2, return_indices=True)
    return pre, unit, pooled, winners, module.second(pooled)


def test_sampled_rows_are_the_channels_at_their_positions(network, tmp_path):
    store, (done,) = run(network, [Take("a", "c1", "activations", TWO)], tmp_path)
    rows = load_rows(store, activations="a")
    assert (done.n_rows, done.was_stored, done.skipped) == (40, False, ())
    assert rows.layer == "unit"
    assert rows.origins.grid == (6, 6)
    assert rows.origins.example_ids == Images().ids
    np.testing.assert_array_equal(rows.origins.example, np.repeat(np.arange(20), 2))
    np.testing.assert_array_equal(rows.targets, np.repeat(np.arange(20) % 3, 2))
    _, unit, *_ = by_hand(network, Images())
    row, column = np.divmod(rows.origins.position, 6)
    expected = unit.numpy()[rows.origins.example, :, row, column]
    np.testing.assert_allclose(rows.activations, expected, atol=1e-6)
    assert isinstance(rows.activations.base, np.memmap)


def test_codes_at_positions_are_the_signs_of_the_pre_activations_before_the_unit_works_in_place(
    network, tmp_path
):
    takes = [Take("a", "unit", "activations", TWO), Take("c", "unit", "codes", TWO, SAME)]
    store, _ = run(network, takes, tmp_path)
    rows = load_rows(store, activations="a", codes="c")
    pre, *_ = by_hand(network, Images())
    row, column = np.divmod(rows.origins.position, 6)
    expected = pre.numpy()[rows.origins.example, :, row, column] > 0
    np.testing.assert_array_equal(np.unpackbits(rows.codes.packed, axis=1)[:, :3], expected)
    assert rows.codes.packed.shape == (40, 1)
    assert rows.codes.scheme.units == 3
    np.testing.assert_array_equal(expected, rows.activations > 0)


def test_codes_of_whole_examples_hold_every_later_unit_and_the_winners(network, tmp_path):
    store, _ = run(network, [Take("c", "input", "codes", None, WHOLE, whole=True)], tmp_path)
    codes = load_rows(store, codes="c").codes
    pre, _, _, winners, second = by_hand(network, Images())
    assert codes.scheme.names_polytopes
    assert [(layer.units, layer.kind) for layer in codes.scheme.layers] == [
        (108, "sign"),
        (27, "winner"),
        (9, "sign"),
    ]
    unit, pool, last = (codes.packed[:, columns] for columns in codes.scheme.columns())
    np.testing.assert_array_equal(np.unpackbits(unit, axis=1)[:, :108], pre.flatten(1) > 0)
    np.testing.assert_array_equal(np.unpackbits(last, axis=1)[:, :9], second.flatten(1) > 0)
    # Within its 2 x 2 window, a pixel's place is 2 * (row mod 2) + (column mod 2).
    flat = winners.flatten(1)
    place = 2 * (flat // 6 % 2) + flat % 2
    np.testing.assert_array_equal(np.unpackbits(pool, axis=1)[:, :108].reshape(20, 27, 4).argmax(2), place)


def test_layers_without_positions_give_one_row_an_example_whatever_the_sampling(network, tmp_path):
    store, _ = run(network, [Take("a", "output", "activations", TWO)], tmp_path)
    rows = load_rows(store, activations="a")
    assert rows.origins.grid == ()
    np.testing.assert_array_equal(rows.origins.example, np.arange(20))
    np.testing.assert_allclose(rows.activations, network.module(Images().inputs), atol=1e-6)


def test_whole_inputs_and_their_thumbnails(network, tmp_path):
    takes = [
        Take("whole", "input", "activations", whole=True),
        Take("small", "input", "activations", whole=True, thumbnail=3),
        Take("large", "input", "activations", whole=True, thumbnail=16),
    ]
    store, _ = run(network, takes, tmp_path)
    inputs = Images().inputs
    np.testing.assert_array_equal(load_rows(store, activations="whole").activations, inputs.flatten(1))
    np.testing.assert_array_equal(load_rows(store, activations="large").activations, inputs.flatten(1))
    # 6 x 6 down to 3 x 3: means of blocks of 2 x 2.
    blocks = inputs.reshape(20, 3, 2, 3, 2).mean(dim=(2, 4)).flatten(1)
    np.testing.assert_allclose(load_rows(store, activations="small").activations, blocks, atol=1e-6)


@pytest.fixture
def many_takes():
    return [
        Take("one", "unit", "activations", TWO),
        Take("two", "pool", "activations", AllPositions()),
        Take("three", "unit", "codes", TWO, SAME),
        Take("four", "input", "codes", None, WHOLE, whole=True),
        Take("five", "input", "activations", whole=True),
    ]


def test_several_layers_and_codes_cost_one_pass_a_batch(network, tmp_path, many_takes):
    run(network, many_takes, tmp_path, options=Options(accelerator="cpu", batch_size=8))
    assert network.module.start.calls == 1 + 3  # finding the data flow, and 20 examples in batches of 8


def test_the_pass_ends_after_the_last_tensor_needed(network, tmp_path):
    network.module.alarm.register_forward_pre_hook(
        # Armed by the second pass: the first one finds the data flow.
        lambda module, inputs: setattr(module, "armed", module.calls > 0)
    )
    run(network, [Take("c", "input", "codes", None, WHOLE, whole=True)], tmp_path / "a")
    with pytest.raises(AssertionError, match="went on"):
        run(network, [Take("o", "output", "activations")], tmp_path / "b")


@pytest.mark.parametrize("batch_size", [1, 7, 64])
@pytest.mark.parametrize("workers", [0, 1])
def test_rows_do_not_depend_on_batches_or_loading(
    network, tmp_path, many_takes, batch_size, workers, monkeypatch
):
    monkeypatch.setattr(shard_module, "SHARD", 9)
    options = Options(accelerator="cpu", batch_size=batch_size, workers=workers)
    store, _ = run(network, many_takes, tmp_path / "a", options=options)
    reference, _ = run(network, many_takes, tmp_path / "b", options=Options(accelerator="cpu", batch_size=20))
    for take in many_takes:
        part = {take.part: take.digest}
        rows, expected = load_rows(store, **part), load_rows(reference, **part)
        np.testing.assert_array_equal(rows.origins.example, expected.origins.example)
        np.testing.assert_array_equal(rows.origins.position, expected.origins.position)
        if take.part == "codes":
            np.testing.assert_array_equal(rows.codes.packed, expected.codes.packed)
        else:
            np.testing.assert_allclose(rows.activations, expected.activations, atol=1e-6)


class Notes(Silent):
    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)


def test_memory_that_runs_out_costs_smaller_batches_and_no_row(network, tmp_path, monkeypatch):
    monkeypatch.setattr(shard_module, "SHARD", 6)
    passed = []

    def hold_five(module, inputs):
        passed.append(len(inputs[0]))
        if len(passed) > 4 and len(inputs[0]) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    network.module.start.register_forward_pre_hook(hold_five)
    notes = Notes()
    take = Take("a", "unit", "activations", TWO)
    options = Options(accelerator="cpu", batch_size=6)
    store, (done,) = run(network, [take], tmp_path / "a", options=options, progress=notes)
    assert done.n_rows == 40
    assert notes.said == ["not enough memory; going on with batches of 3 (--batch-size 3)"]
    assert max(passed[-4:]) == 3
    network.module.start._forward_pre_hooks.clear()
    reference, _ = run(network, [take], tmp_path / "b")
    np.testing.assert_array_equal(
        load_rows(store, activations="a").origins.position,
        load_rows(reference, activations="a").origins.position,
    )
    np.testing.assert_allclose(
        load_rows(store, activations="a").activations,
        load_rows(reference, activations="a").activations,
        atol=1e-6,
    )


def test_a_device_that_holds_no_single_example_is_said():
    sizes = []

    def hold_none(batch_size):
        sizes.append(batch_size)
        raise RuntimeError("MPS backend out of memory (MPS allocated: 5.00 GB)")

    with pytest.raises(UsageError, match=r"not enough memory for one example \(MPS backend"):
        in_fitting_batches(hold_none, batch_size=6, note=lambda text: None)
    assert sizes == [6, 3, 1]


def test_sampling_depends_on_the_seed_and_the_example_id_alone(network, tmp_path):
    take = Take("a", "unit", "activations", TWO)
    whole, _ = run(network, [take], tmp_path / "a")
    first, _ = run(network, [take], tmp_path / "b", examples=Images(5))
    other, _ = run(network, [take], tmp_path / "c", seed=1)
    positions = [load_rows(store, activations="a").origins.position for store in (whole, first, other)]
    np.testing.assert_array_equal(positions[0][:10], positions[1])
    assert (positions[0] != positions[2]).any()


@pytest.mark.parametrize(
    ("take", "said"),
    [
        (Take("a", "unit", "codes", TWO, SAME), "pre-activations that are NaN"),
        (Take("a", "input", "codes", None, WHOLE, whole=True), "pre-activations that are NaN"),
        (Take("a", "unit", "activations", TWO), "NaN or infinity"),
        (Take("a", "input", "activations", None, whole=True), "NaN or infinity"),
    ],
)
def test_rows_of_what_is_no_number_are_refused_and_the_example_is_named(network, tmp_path, take, said):
    examples = Images()
    examples.inputs[7] = np.nan
    with pytest.raises(DataError, match=f"{said}.*those of example 7, counted from 0"):
        run(network, [take], tmp_path, examples=examples)
    examples.inputs[7] = 0.0
    run(network, [take], tmp_path, examples=examples)


def test_a_stored_take_is_not_computed_again(network, tmp_path):
    take = Take("a", "unit", "activations", TWO)
    run(network, [take], tmp_path)
    calls = network.module.start.calls
    _, (done,) = run(network, [take], tmp_path)
    assert done.was_stored
    assert network.module.start.calls == calls + 1  # finding the data flow


def test_a_stopped_harvest_goes_on_at_the_first_missing_shard(network, tmp_path, monkeypatch):
    monkeypatch.setattr(shard_module, "SHARD", 5)
    takes = [Take("a", "unit", "activations", TWO), Take("c", "unit", "codes", TWO, SAME)]

    class Stopping(Images):
        def batch(self, indices):
            if 12 in indices:
                raise KeyboardInterrupt
            return super().batch(indices)

    with pytest.raises(KeyboardInterrupt):
        run(network, takes, tmp_path / "a", examples=Stopping())
    assert not Store(tmp_path / "a").has("harvest", "a")
    shards = sorted((tmp_path / "a").glob("v1/.partial/harvest-a/*.safetensors"))
    assert [shard.name[:25] for shard in shards] == ["000000000000-000000000005", "000000000005-000000000010"]
    shards[0].write_bytes(b"damaged")

    class Watched(Images):
        def __init__(self):
            super().__init__()
            self.asked = []

        def batch(self, indices):
            self.asked.append(tuple(indices))
            return super().batch(indices)

    examples = Watched()
    store, _ = run(network, takes, tmp_path / "a", examples=examples)
    # Single ones tell the shape and try the network; the damaged shard and the two missing ones follow.
    asked = [indices for indices in examples.asked if len(indices) > 1]
    assert asked == [tuple(range(0, 5)), tuple(range(10, 15)), tuple(range(15, 20))]
    undisturbed, _ = run(network, takes, tmp_path / "b")
    rows, expected = (load_rows(item, activations="a", codes="c") for item in (store, undisturbed))
    np.testing.assert_array_equal(rows.activations, expected.activations)
    np.testing.assert_array_equal(rows.codes.packed, expected.codes.packed)
    assert list((tmp_path / "a").glob("v1/.partial/*")) == []


def test_damaged_rows_are_said_and_harvested_again(network, tmp_path):
    take = Take("a", "unit", "activations", TWO)
    store, (done,) = run(network, [take], tmp_path)
    before = np.array(load_rows(store, activations="a").activations)
    content = bytearray((done.folder / "activations.npy").read_bytes())
    content[-1] ^= 1
    (done.folder / "activations.npy").write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        load_rows(Store(tmp_path), activations="a")
    store, (done,) = run(network, [take], tmp_path)
    assert not done.was_stored
    np.testing.assert_array_equal(load_rows(store, activations="a").activations, before)


class FromTheFifth(Sampling):
    """Takes position 0, and refuses the first four images it is given by their first random number."""

    least: float = 0.5

    def choose(self, valid, *, grid, generator):
        if generator.random() < self.least:
            raise TooFewPositionsError("too few")
        return valid[:1]


def test_examples_that_cannot_be_sampled_are_skipped_and_counted(network, tmp_path):
    store, (done,) = run(network, [Take("a", "unit", "activations", FromTheFifth())], tmp_path)
    rows = load_rows(store, activations="a")
    assert 0 < len(rows) < 20
    assert len(rows) + len(done.skipped) == 20
    kept = {rows.origins.example_ids[index] for index in rows.origins.example}
    assert kept.isdisjoint(item.example_id for item in done.skipped)
    assert {item.reason for item in done.skipped} == {"too few"}


def test_it_is_an_error_if_no_example_can_be_sampled(network, tmp_path):
    with pytest.raises(
        DataError, match="no example gives a row of layer 'unit' \\(20 skipped; the first: image-0"
    ):
        run(network, [Take("a", "unit", "activations", FromTheFifth(least=2.0))], tmp_path)


@pytest.mark.parametrize(
    ("take", "error", "said"),
    [
        (Take("a", "unti", "activations", TWO), UsageError, "unit"),
        (Take("a", "unit", "activations"), DataError, "evenly_spaced"),
        (Take("a", "last", "codes", TWO, SAME), UsageError, "units"),
        (Take("a", "unit", "codes", TWO, None), UsageError, "no code"),
        (Take("a", "unit", "codes", None, SAME, whole=True), UsageError, "positions"),
    ],
)
def test_wrong_takes_are_refused_before_any_example_is_computed(network, tmp_path, take, error, said):
    with pytest.raises(error, match=said):
        run(network, [take], tmp_path)
    assert network.module.start.calls == 1
    assert not tmp_path.joinpath("v1").exists()


def test_rows_of_different_examples_are_not_put_together(network, tmp_path):
    takes = [Take("a", "unit", "activations", TWO), Take("c", "input", "codes", None, WHOLE, whole=True)]
    store, _ = run(network, takes, tmp_path)
    with pytest.raises(UsageError, match="different rows"):
        load_rows(store, activations="a", codes="c")
    with pytest.raises(UsageError, match="rows of what"):
        load_rows(store)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_lower_precisions_stay_close_are_stored_in_32_bits_and_leave_the_network_alone(
    network, tmp_path, precision
):
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    options = Options(accelerator="cpu", precision=precision)
    takes = [Take("a", "output", "activations"), Take("c", "unit", "codes", TWO, SAME)]
    store, _ = run(network, takes, tmp_path, options=options)
    rows = load_rows(store, activations="a")
    assert rows.activations.dtype == np.float32
    exact = network.module(Images().inputs).numpy()
    assert 0 < np.abs(rows.activations - exact).max() < 0.05
    assert load_rows(store, codes="c").codes.near_boundary_fraction > 0
    for name, value in network.module.state_dict().items():
        assert torch.equal(value, before[name])


def test_near_boundary_units_are_counted_per_shard(network, tmp_path, monkeypatch):
    monkeypatch.setattr(shard_module, "SHARD", 6)
    network.module.first.weight[0] = 0  # one of three units is always exactly at its kink
    network.module.first.bias[0] = 0
    store, _ = run(network, [Take("c", "unit", "codes", TWO, SAME)], tmp_path)
    assert load_rows(store, codes="c").codes.near_boundary_fraction == pytest.approx(1 / 3)


def test_half_precision_on_a_cpu_is_refused_instead_of_changed(network, tmp_path):
    with pytest.raises(UsageError, match="needs a GPU"):
        run(
            network,
            [Take("a", "output", "activations")],
            tmp_path,
            options=Options(accelerator="cpu", precision="16-mixed"),
        )


def test_a_network_from_python_needs_one_process(network, tmp_path):
    options = Options(accelerator="cpu", devices=2)
    with pytest.raises(UsageError, match="given from Python"):
        run(network, [Take("a", "output", "activations")], tmp_path, options=options)
    assert network.module.start.calls == 0


def test_nothing_is_printed(network, tmp_path, capfd):
    run(network, [Take("a", "output", "activations")], tmp_path)
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


def test_two_takes_of_different_harvests_meet_in_one_store(network, tmp_path):
    run(network, [Take("a", "unit", "activations", TWO)], tmp_path)
    store, done = run(
        network, [Take("a", "unit", "activations", TWO), Take("b", "pool", "activations", TWO)], tmp_path
    )
    assert [item.was_stored for item in done] == [True, False]
    assert len(load_rows(store, activations="b")) == 40


def test_a_slurm_allocation_does_not_change_a_harvest_on_one_machine(network, tmp_path, monkeypatch):
    for name, value in {"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "sweep", "SLURM_JOB_ID": "7"}.items():
        monkeypatch.setenv(name, value)
    store, _ = run(network, [Take("a", "output", "activations")], tmp_path)
    assert len(load_rows(store, activations="a")) == 20


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_harvesting as here
from polylens.harvest import shard
import torch

class Slow(here.Images):
    def batch(self, indices):
        time.sleep(0.05)
        return super().batch(indices)

shard.SHARD = 2
torch.manual_seed(0)
module = here.Convolutional().eval()
network = here.Network("convolutional", module, here.ImageFormat())
print("starting", flush=True)
here.run(network, [here.Take("a", "unit", "activations", here.TWO)], Path(sys.argv[1]), examples=Slow())
"""


@pytest.mark.slow
def test_a_harvest_killed_at_any_moment_goes_on_with_what_is_whole(network, tmp_path, monkeypatch):
    monkeypatch.setattr(shard_module, "SHARD", 2)
    take = Take("a", "unit", "activations", TWO)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(Path(__file__).parent)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    for _ in range(6000):
        done = list((tmp_path / "killed").glob("v1/.partial/harvest-a/0*.safetensors"))
        if len(done) >= 3:
            break
        time.sleep(0.02)
    process.kill()
    process.communicate()
    kept = len(list((tmp_path / "killed").glob("v1/.partial/harvest-a/0*.safetensors")))
    assert 3 <= kept < 10

    class Counting(Images):
        n_asked = 0

        def batch(self, indices):
            # Single ones are asked for their shape, and to try the network.
            self.n_asked += len(indices) if len(indices) > 1 else 0
            return super().batch(indices)

    examples = Counting()
    store, _ = run(network, [take], tmp_path / "killed", examples=examples)
    assert examples.n_asked == 20 - 2 * kept
    undisturbed, _ = run(network, [take], tmp_path / "undisturbed")
    rows, expected = (load_rows(item, activations="a") for item in (store, undisturbed))
    np.testing.assert_array_equal(rows.origins.position, expected.origins.position)
    np.testing.assert_allclose(rows.activations, expected.activations, atol=1e-6)
