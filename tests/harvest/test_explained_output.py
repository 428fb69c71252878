"""Proxies in a harvest: rows of gates, and how much of the units' output the hard code explains."""

from __future__ import annotations

from dataclasses import dataclass
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
from polylens.harvest.explaining import OutputSums, explained_by, output_sums, sum_of_batches
from polylens.models.transformers import Transformers
from polylens.records import Codes, Examples, Explained, Network
from polylens.sampling.evenly_spaced import EvenlySpaced
from polylens.store import Store
from polylens.streams import Streams
from polylens.text import InMemory, open_text

SIGN = Sign(units="own", positions="same")
GATE = Gate(of="gate", units="own", positions="same")
SLOPE = Gate(of="slope", units="own", positions="same")
EPSILON = float(np.finfo(np.float32).eps)
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


@dataclass(frozen=True)
class Bound:
    """How far rounding may carry the two numbers of `by_hand`: from `low` to `high`, each."""

    variance: tuple[float, float]
    median_unit_variance: tuple[float, float]

    def assert_holds(self, found: Explained | None, expected: Explained) -> None:
        """Whether an outcome lies inside, and speaks of the same units."""
        assert found is not None
        assert self.variance[0] <= found.variance <= self.variance[1]
        assert self.median_unit_variance[0] <= found.median_unit_variance <= self.median_unit_variance[1]
        assert (found.units, found.products) == (expected.units, expected.products)


def rounding_bound(
    z: np.ndarray, factor: np.ndarray | None, activation: torch.nn.Module, *, noise: float
) -> Bound:
    """Bounds where each pre-activation and factor is wrong by at most `noise`.

    An output `f(z) u`, and its error `(f(z) - relu(z)) u`, then move by at most
    `d = noise (1.2 |u| + |f(z)| + noise)`, since no slope of `f` nor of its error exceeds 1.2. Sums of
    squares Q (of errors, and of outputs around their mean) move by at most `2 sqrt(Q D) + D`, where D is the
    sum of `d^2`.
    """
    times = np.ones(1) if factor is None else factor
    output = activation(torch.from_numpy(z)).numpy()
    moved = noise * (1.2 * np.abs(times) + (0 if factor is None else np.abs(output) + noise))
    errors = ((output - z * (z > 0)) ** 2 * times**2).sum(0)
    spread = ((output * times - (output * times).mean(0)) ** 2).sum(0)
    squares = np.broadcast_to(moved**2, z.shape).sum(0)

    def reached(errors: np.ndarray, spread: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        above, apart = 2 * np.sqrt(errors * squares) + squares, 2 * np.sqrt(spread * squares) + squares
        least = np.where(apart < spread, spread - apart, 1.0)
        low = np.where(apart < spread, 1 - (errors + above) / least, -np.inf)
        return low, 1 - np.maximum(errors - above, 0) / (spread + apart)

    whole = reached(errors.sum(), spread.sum(), squares.sum())
    units = reached(errors, spread, squares)
    assert np.isfinite([whole[0], np.median(units[0])]).all(), "a bound that everything keeps proves nothing"
    return Bound(
        variance=(float(whole[0]), float(whole[1])),
        median_unit_variance=(float(np.median(units[0])), float(np.median(units[1]))),
    )


def test_proxies_say_how_much_they_explain_whatever_the_batches(
    network: Network, examples: Examples, architecture: str, tmp_path: Path
) -> None:
    path, activation = MODULES[architecture]
    z, factor = plain_pass(network, examples, path)
    found = codes_of(network, examples, tmp_path / "one", batch=16)
    assert (factor is not None) == (architecture == "llama")
    expected = by_hand(z, factor, activation)
    # A batch's sums run in another order than those of one example alone; what that changes in a number of
    # some 64 products, through two blocks, stays below 64 units in the last place of the largest number.
    noise = 64 * EPSILON * max(np.abs(z).max(), 0 if factor is None else np.abs(factor).max())
    bound = rounding_bound(z, factor, activation, noise=noise)
    for codes in found.values():
        bound.assert_holds(codes.explained, expected)
        assert codes.scheme.is_proxy
    # The rows: bits, Phi(z) or its like, and the derivative.
    inputs = torch.from_numpy(z).requires_grad_(True)
    outputs = activation(inputs)
    (slopes,) = torch.autograd.grad(outputs.sum(), inputs)
    clear = np.abs(z) > noise
    assert clear.mean() > 0.99
    bits = np.unpackbits(found["sign"].packed, axis=1, count=z.shape[1]).astype(bool)
    np.testing.assert_array_equal(bits[clear], z[clear] > 0)
    assert found["gate"].graded.dtype == np.float32
    # Neither curve is steeper than 1.2; a gate is a quotient of two rounded numbers, or a formula in float32.
    close = {"rtol": 0.0, "atol": 1.2 * noise + 32 * EPSILON}
    np.testing.assert_allclose(found["gate"].graded, outputs.detach().numpy() / z, **close)
    np.testing.assert_allclose(found["slope"].graded, slopes.numpy(), **close)
    again = codes_of(network, examples, tmp_path / "two", batch=2)
    for name, codes in again.items():
        bound.assert_holds(codes.explained, expected)
        if name != "sign":
            np.testing.assert_allclose(codes.values, found[name].values, **close)


def test_batches_and_shards_add_up_to_the_whole() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.GELU()).eval()
    selection = SIGN.select(trace(module, torch.ones(1, 2)), "1")
    (unit,) = selection.approximated
    z = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    exact = z.double().numpy()
    expected = by_hand(exact, None, torch.nn.GELU())
    # GELU in float32, vectorised or not, is right to four units in the last place of the largest number.
    bound = rounding_bound(exact, None, torch.nn.GELU(), noise=4 * EPSILON * np.abs(exact).max())
    whole = explained_by(summed(output_sums(unit, z), rows=[40]), selection=selection)
    bound.assert_holds(whole, expected)
    assert whole.variance_limits is None
    parts = z.split(7)
    batches = sum_of_batches([output_sums(unit, part) for part in parts])
    bound.assert_holds(explained_by(summed(batches, rows=[40]), selection=selection), expected)
    shards = summed(*(output_sums(unit, part) for part in parts), rows=[len(part) for part in parts])
    sharded = explained_by(shards, selection=selection)
    bound.assert_holds(sharded, expected)
    low, high = sharded.variance_limits
    assert low < whole.variance < high
    assert sum_of_batches([None, None]).shape == (3, 0)


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


def test_numbers_that_are_not_finite_explain_nothing_and_nothing_warns() -> None:
    # Whether `inf - inf` is noticed depends on the processor's instructions: it is never computed unguarded.
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.GELU()).eval()
    selection = SIGN.select(trace(module, torch.ones(1, 2)), "1")
    some = np.ones((3, 2))
    for broken in (np.inf, -np.inf, np.nan):
        parts = [np.full((3, 2), broken), -np.full((3, 2), broken), some]
        assert explained_by(summed(*parts, rows=[4, 4, 4]), selection=selection) is None
    # Many more shards than parts are kept apart: they are added up on the way.
    shards = [np.full((3, 2), np.inf if place % 2 else -np.inf) for place in range(50)]
    assert explained_by(summed(*shards, rows=[1] * 50), selection=selection) is None


@pytest.mark.parametrize("activation", [torch.nn.ReLU(), torch.nn.Tanh()])
def test_only_smooth_units_that_are_like_relu_are_held_against_their_hard_form(
    activation: torch.nn.Module,
) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), activation).eval()
    assert SIGN.select(trace(module, torch.ones(1, 2)), "1").approximated == ()
