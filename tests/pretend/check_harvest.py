"""A harvest through Lightning on another device stores the processor's rows, and narrows as it does there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.analyses.probing import Points
from tests.geometry.networks import network
from tests.text_models import tiny_model

from polylens.codes.sign import Sign
from polylens.devices import Options
from polylens.harvest import Take, harvest, load_rows
from polylens.harvest.collecting import Collector
from polylens.models.transformers import Transformers
from polylens.records import Examples, ImageFormat, Network, Rows
from polylens.sampling.evenly_spaced import EvenlySpaced
from polylens.sampling.random_positions import RandomPositions
from polylens.store import Store
from polylens.streams import Streams
from polylens.text import InMemory, open_text

ROUNDING = 1e-4
"""Of a few layers of 32-bit sums; torch composes some operations of a device in another way."""


def harvested(
    folder: Path, about: Network, examples: Examples, takes: tuple[Take, ...], accelerator: str
) -> list[Rows]:
    store = Store(folder / accelerator)
    options = Options(accelerator=accelerator, batch_size=4)
    harvest(about, examples, takes, streams=Streams(0), store=store, options=options)
    return [load_rows(store, **{take.part: take.digest}) for take in takes]


def assert_alike(found: Rows, expected: Rows) -> None:
    np.testing.assert_array_equal(found.origins.position, expected.origins.position)
    if expected.activations is not None:
        assert found.activations is not None
        np.testing.assert_allclose(found.activations, expected.activations, atol=ROUNDING)
    else:
        assert found.codes is not None
        assert expected.codes is not None
        turned = np.bitwise_count(found.codes.values ^ expected.codes.values).sum()
        near = expected.codes.near_boundary_fraction * expected.codes.values.size * 8
        assert turned <= near


def test_rows_of_images_are_the_processors(tmp_path: Path, accelerator: str, pretend: Counter[str]) -> None:
    module, shape = network("residual", seed=4)
    module = module.float().requires_grad_(requires_grad=False)
    examples = Points(torch.randn(10, *shape, generator=torch.Generator().manual_seed(0)), None)
    about = Network("small", module, ImageFormat(channels=2), example_input=examples.inputs[:1])
    signs = Sign(units="downstream", positions="all")
    takes = (
        Take("1" * 64, "relu", "activations", RandomPositions(count=3)),
        Take("2" * 64, "input", "codes", None, signs, whole=True),
    )
    expected = harvested(tmp_path, about, examples, takes, "cpu")
    assert not pretend
    found = harvested(tmp_path, about, examples, takes, accelerator)
    assert pretend["convolution"] > 0
    assert next(module.parameters()).device.type == "cpu"
    for one, other in zip(found, expected, strict=True):
        assert_alike(one, other)


def test_passes_of_texts_are_narrowed_there(
    tmp_path: Path, accelerator: str, pretend: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrowed: list[object] = []
    step = Collector.predict_step

    def noted(self: Collector, batch: dict[str, object], batch_idx: int) -> object:
        given = step(self, batch, batch_idx)
        narrowed.append(None if self._narrowing is None else self._narrowing.attention)
        return given

    monkeypatch.setattr(Collector, "predict_step", noted)
    model = Transformers(source=str(tiny_model(tmp_path / "model", "gpt2")), context=24)
    about = Network(
        name="tiny",
        module=model.load(model.build(torch.Generator()), root=tmp_path),
        input_format=model.input_format(),
        aliases=model.aliases(),
        example_input=model.example_input(),
        is_causal=True,
    )
    texts = InMemory({f"d{n}": "the cat sat on a mat " * (n + 1) for n in range(5)}, title="texts")
    examples = open_text(texts, about.input_format, packing="packed", streams=Streams(0))
    even = EvenlySpaced(count=3, after=2)
    takes = (
        Take("1" * 64, "residual.1", "activations", even),
        Take("2" * 64, "mlp_pre.2", "codes", even, Sign(units="own", positions="same")),
    )
    expected = harvested(tmp_path, about, examples, takes, "cpu")
    on_processor = list(narrowed)
    found = harvested(tmp_path, about, examples, takes, accelerator)
    assert narrowed[len(on_processor) :] == on_processor
    assert set(on_processor) == {3}
    assert pretend["addmm"] + pretend["mm"] > 0
    for one, other in zip(found, expected, strict=True):
        assert_alike(one, other)
