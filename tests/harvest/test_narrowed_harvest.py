"""The fast path of language models against the plain one: the same rows, on every architecture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.shapes import unchecked
from tests.text_models import ARCHITECTURES, tiny_model

from polylens.assembly import Recipe, assemble, open_examples
from polylens.codes.sign import Sign
from polylens.datasets.text_table import TextTable
from polylens.devices import Options
from polylens.harvest import Take, harvest, load_rows
from polylens.harvest.collecting import Collector
from polylens.harvest.trying import Narrowing
from polylens.models.transformers import Transformers
from polylens.records import Examples, Network, Rows
from polylens.sampling.evenly_spaced import EvenlySpaced
from polylens.sampling.random_positions import RandomPositions
from polylens.store import Store
from polylens.streams import Streams
from polylens.text import InMemory, open_text

WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "dog", "sees", "1", "or", "2", "numbers", "manual")
CODE = Sign(units="own", positions="same")
EVEN = EvenlySpaced(count=3, after=2)
RANDOM = RandomPositions(count=2)
LAYERS = ("mlp_pre.2", "mlp_post.1", "residual.1", "attention_out.2")
"""Of several blocks: some rows come from before the attention that is narrowed, others from behind it."""

NOISE = 2e-5
"""What three blocks of float32 sums over 24 positions may differ by in another order: 170 roundings of 1."""


def texts(*, padded: bool) -> dict[str, str]:
    draw = np.random.default_rng(0)
    lengths = draw.integers(1, 8, size=11) if padded else [30] * 11
    return {f"d{i}": " ".join(draw.choice(WORDS, size=n)) for i, n in enumerate(lengths)}


def network_of(folder: Path) -> Network:
    model = Transformers(source=str(folder), context=24)
    module = model.load(model.build(torch.Generator()), root=folder)
    return Network(
        name="tiny",
        module=module,
        input_format=model.input_format(),
        aliases=model.aliases(),
        example_input=model.example_input(),
        is_causal=model.is_causal(),
    )


def takes(*layers: str) -> tuple[Take, ...]:
    every = [Take(f"{i:064x}", layer, "activations", EVEN) for i, layer in enumerate(layers)]
    return (*every, Take("c" * 64, "mlp_pre.2", "codes", RANDOM, CODE))


def rows_of(
    folder: Path, network: Network, examples: Examples, asked: tuple[Take, ...], *, batch: int
) -> list[Rows]:
    store = Store(folder)
    options = Options(accelerator="cpu", batch_size=batch)
    with unchecked(when=batch == 1):  # large batches go through the same engines, a tenth as often
        harvest(network, examples, asked, streams=Streams(0), store=store, options=options)
    kinds = {"activations": "activations", "codes": "codes"}
    return [load_rows(store, **{kinds[take.part]: take.digest}) for take in asked]


def plain_rows(
    network: Network, examples: Examples, asked: tuple[Take, ...], found: list[Rows]
) -> dict[str, np.ndarray]:
    """What a hook sees in transformers' own pass over each whole input by itself, without padding."""
    seen: dict[str, np.ndarray] = {}
    values: dict[str, list[np.ndarray]] = {take.digest: [] for take in asked}

    def keep(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(module: torch.nn.Module, args: object, output: object) -> None:
            tensor = output[0] if isinstance(output, tuple) else output
            assert isinstance(tensor, torch.Tensor)
            seen[name] = tensor.detach().reshape(-1, tensor.shape[-1]).clone().numpy()

        return network.module.get_submodule(network.aliases[name]).register_forward_hook(hook)

    handles = [keep(name) for name in LAYERS]
    for index in range(len(examples)):
        with torch.no_grad():
            network.module(input_ids=examples.batch([index]), use_cache=False)
        for take, rows in zip(asked, found, strict=True):
            own = rows.origins.position[rows.origins.example == index]
            values[take.digest].append(seen[take.layer][own])
    for handle in handles:
        handle.remove()
    return {digest: np.concatenate(parts) for digest, parts in values.items()}


def narrowings(monkeypatch: pytest.MonkeyPatch) -> list[Narrowing | None]:
    """How each batch was narrowed; None where no batch has shown yet how."""
    known: list[Narrowing | None] = []
    step = Collector.predict_step

    def noted(self: Collector, batch: dict[str, object], batch_idx: int) -> object:
        given = step(self, batch, batch_idx)
        known.append(self._narrowing)
        return given

    monkeypatch.setattr(Collector, "predict_step", noted)
    return known


@pytest.fixture(scope="module", params=ARCHITECTURES)
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Network:
    return network_of(tiny_model(tmp_path_factory.mktemp(request.param), request.param))


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("padded", [False, True])
def test_narrowed_rows_are_those_of_a_plain_pass(
    network: Network, padded: bool, batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrowed = narrowings(monkeypatch)
    examples = open_text(
        InMemory(texts(padded=padded), title="texts"),
        network.input_format,
        packing="one_document" if padded else "packed",
        streams=Streams(0),
    )
    asked = takes(*LAYERS)
    fast = rows_of(tmp_path / "fast", network, examples, asked, batch=batch)
    plain = plain_rows(network, examples, asked, fast)
    # The third block has the last attention that any row comes from; None is a first batch without any row.
    assert set(narrowed) <= {None, Narrowing(attention=3)}
    assert Narrowing(attention=3) in narrowed
    for take, row in zip(asked, fast, strict=True):
        if take.part == "codes":
            assert row.codes is not None
            before = plain[take.digest]
            bits = np.unpackbits(row.codes.values, axis=1, count=before.shape[1]).astype(bool)
            assert np.array_equal(bits[abs(before) > NOISE], before[abs(before) > NOISE] > 0)
            assert (abs(before) > NOISE).mean() > 0.99
        else:
            assert row.activations is not None
            np.testing.assert_allclose(row.activations, plain[take.digest], rtol=0, atol=NOISE)
    if padded:
        assert len(fast[0].origins.example) < 3 * len(examples)


@pytest.mark.slow
def test_two_processes_give_the_rows_of_one(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model", "gpt2")
    draw = np.random.default_rng(0)
    lines = [
        json.dumps({"text": " ".join(draw.choice(WORDS, size=n))}) for n in draw.integers(2, 9, size=270)
    ]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    dataset = TextTable(file=str(tmp_path / "texts.jsonl"))
    recipe = Recipe(Transformers(source=str(folder), context=24), dataset, seed=0)
    asked, found = takes("residual.1"), []
    for devices, batch in ((1, 64), (2, 16)):
        store = Store(tmp_path / str(devices))
        examples = open_examples(recipe, root=tmp_path, cache=store.root / "seen")
        network = assemble(recipe, examples, store=store, root=tmp_path)
        options = Options(
            accelerator="cpu", devices=devices, strategy="auto" if devices == 1 else "ddp", batch_size=batch
        )
        harvest(
            network,
            examples,
            asked,
            recipe=recipe,
            root=tmp_path,
            streams=Streams(0),
            store=store,
            options=options,
        )
        found.append([load_rows(store, **{take.part: take.digest}) for take in asked])
    (one, one_code), (two, two_code) = found
    assert one.activations is not None
    assert one_code.codes is not None
    assert two_code.codes is not None
    assert len(one.origins.example) > 256
    assert np.array_equal(one.origins.example, two.origins.example)
    assert np.array_equal(one.origins.position, two.origins.position)
    np.testing.assert_allclose(one.activations, two.activations, rtol=0, atol=NOISE)
    # Batches add in another order: a sign may change where the pre-activation is zero up to rounding.
    near = one_code.codes.near_boundary_fraction * one_code.codes.values.size * 8
    assert np.bitwise_count(one_code.codes.values ^ two_code.codes.values).sum() <= round(near)
