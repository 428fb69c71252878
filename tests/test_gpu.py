"""On a GPU: the codes of the CPU, but for units so near a boundary that rounding decides."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

import polylens
from polylens.clustering import hierarchy
from polylens.codes.sign import Sign
from polylens.devices import Options, exact_float32
from polylens.harvest import Take, harvest, load_rows
from polylens.imports import torchvision
from polylens.records import Context, Examples, ImageFormat, Network, Rows
from polylens.store import Store
from polylens.streams import Streams

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

ACCELERATOR = "gpu"
NOISE = 1e-4
"""Of the root mean square of a row's pre-activations: what 32-bit sums in another order can differ by, after
the layers before have done so too."""


def bits(rows: Rows) -> np.ndarray:
    """All bits of a code, without its padding."""
    assert rows.codes is not None
    parts = [
        np.unpackbits(rows.codes.packed[:, columns], axis=1)[:, : layer.bits]
        for layer, columns in zip(rows.codes.scheme.layers, rows.codes.scheme.columns(), strict=True)
    ]
    return np.concatenate(parts, axis=1).astype(bool)


def differing(cpu: Rows, gpu: Rows, exact: Sequence[np.ndarray]) -> tuple[int, int]:
    """How many bits differ, and how many lie within noise of a boundary; no other bit may differ.

    Args:
        cpu: rows.
        gpu: the same rows.
        exact: pre-activations in double precision, `rows units` for each layer of the code.
    """
    differ = bits(cpu) != bits(gpu)
    near = np.concatenate(
        [np.abs(layer) <= NOISE * np.sqrt((layer**2).mean(1, keepdims=True)) for layer in exact], axis=1
    )
    assert not (differ & ~near).any()
    assert near.mean() < 0.001
    return int(differ.sum()), int(near.sum())


def test_the_demos_codes_are_the_cpus(tmp_path, monkeypatch, capsys):
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    monkeypatch.chdir(tmp_path)
    spec = {
        "about": "The demo's network and layer.",
        "claim": "None.",
        "seed": 0,
        "model": "digits-mlp",
        "layer": "hidden.3",
        "dataset": "digits",
        "code": "own-signs",
        "controls": [],
        "analyses": {"codes": {"kind": "code_statistics", "pairs": 10, "resamples": 2}},
    }

    def rows(accelerator: str) -> Rows:
        # The training is not done again: it lies in the store by its digest, which names no device.
        found = polylens.load_rows(polylens.run(spec, options=Options(accelerator=accelerator)))
        for stage in (tmp_path / ".polylens").rglob("harvest"):
            stage.rename(tmp_path / f"harvest-{accelerator}")
        return found

    cpu, gpu = rows("cpu"), rows(ACCELERATOR)
    from sklearn.datasets import load_digits

    index = [int(name.removeprefix("digits/")) for name in cpu.origins.example_ids]
    values = torch.tensor(load_digits().images[index] / 16).flatten(1)
    (file,) = (tmp_path / ".polylens").rglob("weights.safetensors")
    weights = {name: value.double() for name, value in load_file(file).items()}
    for depth in (1, 2, 3):
        layer = f"hidden.{depth}.linear"
        before = functional.linear(values, weights[f"{layer}.weight"], weights[f"{layer}.bias"])
        values = before.clamp(min=0)
    n_differ, n_near = differing(cpu, gpu, [before.numpy()])
    with capsys.disabled():
        print(f"\ndemo: {n_differ} of {bits(cpu).size:,} bits differ; {n_near} are within noise")


class Noise(Examples):
    """Images of coarse noise."""

    def __init__(self, n_examples: int) -> None:
        generator = torch.Generator().manual_seed(0)
        coarse = torch.randn(n_examples, 3, 28, 28, generator=generator)
        self.inputs = functional.interpolate(coarse, size=(224, 224), mode="bilinear")
        self.ids = tuple(f"noise-{number}" for number in range(n_examples))
        self.targets = None
        self.classes = ()
        self.fingerprint = f"noise-{n_examples}"

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        return self.inputs[list(indices)]

    def context(self, index: int) -> Context:
        raise NotImplementedError


@pytest.fixture(scope="module")
def googlenet() -> torch.nn.Module:
    """torchvision's network with random weights, and batch-norm statistics that keep its signals alive."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = torchvision().models.googlenet(
            weights=None, transform_input=True, aux_logits=False, init_weights=False
        )
        module.dropout.p = 0.0
        for part in module.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.momentum = None
        with torch.no_grad():
            module.train()(Noise(8).inputs)
    return module.eval().requires_grad_(False)


def harvested(module: torch.nn.Module, examples: Examples, folder: Path, **options: Any) -> Rows:
    store = Store(folder)
    take = Take("codes", "inception4c", "codes", None, Sign(units="own", positions="all"), whole=True)
    network = Network("googlenet", module, ImageFormat(), example_input=torch.zeros(1, 3, 224, 224))
    harvest(network, examples, [take], streams=Streams(0), store=store, options=Options(**options))
    return load_rows(store, codes="codes")


def test_googlenets_codes_are_the_cpus(googlenet, tmp_path, capsys):
    examples = Noise(32)
    cpu = harvested(googlenet, examples, tmp_path / "cpu", accelerator="cpu", batch_size=16)
    gpu = harvested(googlenet, examples, tmp_path / "gpu", accelerator=ACCELERATOR, batch_size=32)
    assert next(googlenet.parameters()).device.type == "cpu"
    seen: dict[str, np.ndarray] = {}
    exact = copy.deepcopy(googlenet).double()
    units = [f"inception4c.{name}.bn" for name in ("branch1", "branch2.1", "branch3.1", "branch4.1")]
    for name in units:
        # Cloned: the ReLU behind works in place.
        exact.get_submodule(name).register_forward_hook(
            lambda *given, name=name: seen.update({name: given[2].flatten(1).clone().numpy()})
        )
    exact(examples.inputs.double())
    n_differ, n_near = differing(cpu, gpu, [seen[name] for name in units])
    with capsys.disabled():
        print(f"\ngooglenet: {n_differ} of {bits(cpu).size:,} bits differ; {n_near} are within noise")


def test_googlenets_rows_per_second_beside_the_bare_model(googlenet, tmp_path, capsys):
    examples = Noise(512)
    device = torch.device("cuda" if ACCELERATOR == "gpu" else "cpu")
    bare = copy.deepcopy(googlenet).to(device)

    def pass_through_all_images() -> None:
        for inputs in examples.inputs.split(64):
            bare(inputs.to(device))
        if device.type == "cuda":
            torch.cuda.synchronize()

    seconds: dict[str, list[float]] = {"bare": [], "harvest": []}
    for turn in range(4):
        start = time.perf_counter()
        with torch.no_grad(), exact_float32():
            pass_through_all_images()
        seconds["bare"].append(time.perf_counter() - start)
        start = time.perf_counter()
        rows = harvested(googlenet, examples, tmp_path / str(turn), accelerator=ACCELERATOR, batch_size=64)
        seconds["harvest"].append(time.perf_counter() - start)
        assert len(rows) == 512
    # The first turn warms up. Said, not asserted: no test depends on a clock.
    rates = {name: len(examples.inputs) / np.median(times[1:]) for name, times in seconds.items()}
    with capsys.disabled():
        print("\n" + ", ".join(f"{name}: {rate:,.0f} images a second" for name, rate in rates.items()))


@pytest.mark.parametrize("metric", ["hamming", "jaccard", "euclidean", "cosine", "l1"])
def test_the_gpu_grows_the_spanning_tree_of_the_processor(metric: str) -> None:
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(20, 96))
    values = centres[generator.integers(0, 20, 3000)] + 0.2 * generator.normal(size=(3000, 96))
    values[:100] = values[100:200]
    points = values > 0 if metric in ("hamming", "jaccard") else values.astype(np.float32)
    here = hierarchy(points, metric=metric, min_samples=5, device="cpu")
    there = hierarchy(points, metric=metric, min_samples=5, device="cuda")
    np.testing.assert_array_equal(there.heights, here.heights)
    np.testing.assert_array_equal(there.core, here.core)
