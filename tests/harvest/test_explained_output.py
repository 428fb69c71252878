"""Proxies in a harvest: rows of gates, and how much of the units' output the hard code explains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.text_models import tiny_model

from polylens.codes.gate import Gate
from polylens.codes.sign import Sign
from polylens.dataflow import trace
from polylens.devices import Options
from polylens.harvest import Take, harvest, load_rows
from polylens.harvest.explaining import OutputSums, added_up, explained_by, output_sums
from polylens.models.transformers import Transformers
from polylens.records import Codes, Examples, Explained, Network
from polylens.sampling.evenly_spaced import EvenlySpaced
from polylens.store import Store
from polylens.streams import Streams
from polylens.text import InMemory, open_text

SIGN = Sign(units="own", positions="same")
GATE = Gate(of="gate", units="own", positions="same")
SLOPE = Gate(of="slope", units="own", positions="same")
TEXTS = {f"d{i}": "the cat sat on a mat and the dog sees the manual " * (1 + i % 3) for i in range(9)}
MODULES = {
    "bert": ("encoder.layer.1.intermediate.intermediate_act_fn", torch.nn.GELU()),
    "gpt2": ("transformer.h.1.mlp.act", torch.nn.GELU(approximate="tanh")),
    "llama": ("model.layers.1.mlp.act_fn", torch.nn.SiLU()),
}


@pytest.fixture(scope="module", params=sorted(MODULES))
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(architecture: str, tmp_path_factory: pytest.TempPathFactory) -> Network:
    folder = tiny_model(tmp_path_factory.mktemp(architecture), architecture)
    model = Transformers(source=str(folder), context=24)
    module = model.load(model.build(torch.Generator()), root=folder)
    return Network(
        "tiny", module, model.input_format(), aliases=model.aliases(), example_input=model.example_input()
    )


@pytest.fixture(scope="module")
def examples(network: Network) -> Examples:
    return open_text(
        InMemory(TEXTS, title="texts"), network.input_format, packing="one_document", streams=Streams(0)
    )


def codes_of(network: Network, examples: Examples, folder: Path, *, batch: int) -> dict[str, Codes]:
    layer = next(alias for alias in network.aliases if alias.startswith("mlp_post.1"))
    store, takes = Store(folder), {}
    for number, (name, code) in enumerate({"sign": SIGN, "gate": GATE, "slope": SLOPE}.items()):
        takes[name] = Take(f"{number:064x}", layer, "codes", EvenlySpaced(count=3, after=2), code)
    options = Options(accelerator="cpu", batch_size=batch)
    harvest(network, examples, list(takes.values()), streams=Streams(0), store=store, options=options)
    found = {name: load_rows(store, codes=take.digest).codes for name, take in takes.items()}
    return {name: codes for name, codes in found.items() if codes is not None}


def plain_pass(network: Network, examples: Examples, path: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Pre-activations at the rows, and what gates multiply, by hooks on a pass over each example alone."""
    seen: dict[str, torch.Tensor] = {}
    act = network.module.get_submodule(path)
    handles = [act.register_forward_pre_hook(lambda module, args: seen.__setitem__("z", args[0]))]
    up = path.replace("act_fn", "up_proj")
    if path != up and "llama" in type(network.module).__name__.lower():
        part = network.module.get_submodule(up)
        handles.append(part.register_forward_hook(lambda module, args, out: seen.__setitem__("up", out)))
    rows: list[list[torch.Tensor]] = [[], []]
    for index in range(len(examples)):
        with torch.no_grad():
            network.module(input_ids=examples.batch([index]))
        valid = examples.valid(index)
        assert valid is not None
        chosen = EvenlySpaced(count=3, after=2).choose(
            valid, grid=(len(valid),), generator=np.random.default_rng(0)
        )
        for kept, name in zip(rows, ("z", "up"), strict=True):
            if name in seen:
                kept.append(seen[name].reshape(-1, seen[name].shape[-1])[torch.from_numpy(chosen)])
    for handle in handles:
        handle.remove()
    z, factor = (torch.cat(kept).double().numpy() if kept else None for kept in rows)
    assert z is not None
    return z, factor


def by_hand(z: np.ndarray, factor: np.ndarray | None, activation: torch.nn.Module) -> Explained:
    times = 1.0 if factor is None else factor
    output = activation(torch.from_numpy(z)).numpy() * times
    errors = ((output - z * (z > 0) * times) ** 2).sum(0)
    spread = ((output - output.mean(0)) ** 2).sum(0)
    units = z.shape[1]
    return Explained(
        variance=1 - errors.sum() / spread.sum(),
        median_unit_variance=float(np.median(1 - errors / spread)),
        units=units,
        products=0 if factor is None else units,
    )


def summed(*parts: torch.Tensor | np.ndarray, rows: list[int]) -> OutputSums:
    sums = OutputSums(n_parts=len(parts))
    for part, n_rows in zip(parts, rows, strict=True):
        sums.add(np.asarray(part), n_rows=n_rows)
    return sums


def assert_same(found: Explained | None, expected: Explained | None, *, rel: float) -> None:
    assert found is not None
    assert expected is not None
    assert found.variance == pytest.approx(expected.variance, rel=rel)
    assert found.median_unit_variance == pytest.approx(expected.median_unit_variance, rel=rel)
    assert (found.units, found.products) == (expected.units, expected.products)


def test_proxies_say_how_much_they_explain_whatever_the_batches(
    network: Network, examples: Examples, architecture: str, tmp_path: Path
) -> None:
    path, activation = MODULES[architecture]
    z, factor = plain_pass(network, examples, path)
    found = codes_of(network, examples, tmp_path / "one", batch=16)
    assert (factor is not None) == (architecture == "llama")
    expected = by_hand(z, factor, activation)
    for codes in found.values():
        assert_same(codes.explained, expected, rel=1e-5)
        assert codes.scheme.is_proxy
    # The rows: bits, Phi(z) or its like, and the derivative.
    inputs = torch.from_numpy(z).requires_grad_(True)
    outputs = activation(inputs)
    (slopes,) = torch.autograd.grad(outputs.sum(), inputs)
    np.testing.assert_array_equal(found["sign"].packed, np.packbits(z > 0, axis=1))
    assert found["gate"].graded.dtype == np.float32
    np.testing.assert_allclose(found["gate"].graded, outputs.detach().numpy() / z, rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(found["slope"].graded, slopes.numpy(), rtol=1e-4, atol=2e-5)
    again = codes_of(network, examples, tmp_path / "two", batch=2)
    for name, codes in again.items():
        assert_same(codes.explained, found[name].explained, rel=1e-6)
        np.testing.assert_allclose(codes.values, found[name].values, rtol=1e-4, atol=2e-5)


def test_batches_and_shards_add_up_to_the_whole() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.GELU()).eval()
    selection = SIGN.select(trace(module, torch.ones(1, 2)), "1")
    (unit,) = selection.approximated
    z = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    whole = explained_by(summed(output_sums(unit, z), rows=[40]), selection=selection)
    assert_same(whole, by_hand(z.double().numpy(), None, torch.nn.GELU()), rel=1e-6)
    assert whole.variance_limits is None
    batches = added_up([output_sums(unit, part) for part in z.split(7)])
    assert_same(explained_by(summed(batches, rows=[40]), selection=selection), whole, rel=1e-12)
    parts = z.split(7)
    shards = summed(*(output_sums(unit, part) for part in parts), rows=[len(part) for part in parts])
    sharded = explained_by(shards, selection=selection)
    assert_same(sharded, whole, rel=1e-12)
    low, high = sharded.variance_limits
    assert low < whole.variance < high
    assert added_up([None, None]).shape == (3, 0)


def test_limits_of_explained_variance_hold_that_of_all_examples_nine_times_in_ten() -> None:
    # Units whose hard form explains .75, of normal outputs; 23 parts of examples that differ in size.
    rng = np.random.default_rng(0)
    selection = SIGN.select(
        trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.GELU()).eval(), torch.ones(1, 2)), "1"
    )
    held = 0
    for _ in range(200):
        outputs = rng.normal(3, 1, (400, 2))
        errors = 0.5 * rng.normal(size=(400, 2))
        parts = np.array_split(np.stack([outputs, outputs**2, errors**2], axis=1), np.arange(18, 400, 18))
        sums = summed(*(part.sum(0) for part in parts), rows=[len(part) for part in parts])
        low, high = explained_by(sums, selection=selection).variance_limits
        held += low <= 0.75 <= high
    assert held / 200 >= 0.84


def test_units_that_never_vary_explain_nothing() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.GELU()).eval()
    selection = SIGN.select(trace(module, torch.ones(1, 2)), "1")
    (unit,) = selection.approximated
    for constant in (torch.ones(4, 3), torch.full((4, 3), torch.inf)):
        assert explained_by(summed(output_sums(unit, constant), rows=[4]), selection=selection) is None


@pytest.mark.parametrize("activation", [torch.nn.ReLU(), torch.nn.Tanh()])
def test_only_smooth_units_that_are_like_relu_are_held_against_their_hard_form(
    activation: torch.nn.Module,
) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), activation).eval()
    assert SIGN.select(trace(module, torch.ones(1, 2)), "1").approximated == ()
