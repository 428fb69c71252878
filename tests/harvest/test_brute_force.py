"""Rows and codes of whole runs against plain PyTorch: what is expected here is computed without polylens.

Inputs come straight from scikit-learn or through torchvision's own transforms, weights from the file that the
training wrote or from a file made here, tensors from functional calls or from forward hooks, bits from NumPy.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.shapes import unchecked
from torch.nn import functional

import polylens
from polylens.devices import Options
from polylens.imports import torchvision

pytestmark = pytest.mark.slow

CPU = Options(accelerator="cpu")
MLP = {"kind": "mlp", "inputs": 64, "hidden": [48, 32, 24], "classes": 10, "image_size": 8}
CNN = {"kind": "cnn", "image_size": 8, "channels": [5, 9, 6], "classes": 10, "pool_after": [2]}
ROW, COLUMN = 2, 5


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project that is the working directory."""
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spec(**changes: Any) -> dict[str, Any]:
    """A spec whose analyses are the cheapest that read activations and codes."""
    plain = {
        "about": "Brute force.",
        "claim": "Rows are those of a plain forward pass. Refuted by any that differs.",
        "seed": 0,
        "dataset": "digits",
        "analyses": {
            "codes": {"kind": "code_statistics", "pairs": 10, "resamples": 2},
            "means": {
                "kind": "kmeans",
                "on": "activation",
                "clusters": 1,
                "restarts": 1,
                "subsamples": 0,
            },
        },
    }
    return plain | changes


def code(units: str, positions: str = "same", **more: Any) -> dict[str, Any]:
    return {"kind": "sign", "units": units, "positions": positions} | more


def rows_of(plain: dict[str, Any], *, limit: int | None = 50, options: Options = CPU) -> list[polylens.Rows]:
    """Runs a spec; the rows of its children in the order of the sweep."""
    # Networks of images take three times as long with shapes checked; those of the MLP are.
    with unchecked(when=plain["model"]["kind"] != "mlp"), undrawn():
        result = polylens.run(plain, limit=limit, options=options)
    return [polylens.load_rows(child) for child in result.children]


def bits(rows: polylens.Rows) -> list[np.ndarray]:
    """The bits of each layer of a code, cut out of its bytes."""
    parts, start = [], 0
    for layer in rows.codes.scheme.layers:
        n_bits = layer.units * layer.bits_per_unit
        stop = start + -(-n_bits // 8)
        found = np.unpackbits(rows.codes.packed[:, start:stop], axis=1)
        assert not found[:, n_bits:].any()
        parts.append(found[:, :n_bits].astype(bool))
        start = stop
    assert start == rows.codes.packed.shape[1]
    return parts


def trained_weights(project: Path) -> dict[str, torch.Tensor]:
    (file,) = (project / ".polylens").rglob("weights.safetensors")
    return load_file(file)


def digit_images(rows: polylens.Rows) -> torch.Tensor:
    from sklearn.datasets import load_digits

    index = [int(name.removeprefix("digits/")) for name in rows.origins.example_ids]
    return torch.tensor(load_digits().images[index] / 16, dtype=torch.float32)


def window_winners(tensor: torch.Tensor, *, kernel: int, stride: int, padding: int) -> np.ndarray:
    """The place of the first largest element of each window, by unfolding every window."""
    padded = functional.pad(tensor, (padding,) * 4, value=-np.inf)
    windows = padded.unfold(2, kernel, stride).unfold(3, kernel, stride)
    return windows.flatten(4).numpy().argmax(-1)


def one_hot(winners: np.ndarray, window: int) -> np.ndarray:
    return (winners.reshape(len(winners), -1, 1) == np.arange(window)).reshape(len(winners), -1)


def test_rows_and_codes_of_a_trained_mlp(project):
    model = MLP | {"training": {"epochs": 2}}
    layers = ["hidden.1", "hidden.2", "hidden.3"]
    own = rows_of(spec(model=model, layer="hidden.1", code=code("own"), sweep={"layer": layers}))
    (next_units,) = rows_of(spec(model=model, layer="hidden.1", code=code("next")))
    (later,) = rows_of(spec(model=model, layer="hidden.1", code=code("downstream", "all")))
    (until,) = rows_of(spec(model=model, layer="input", code=code("downstream", "all", through="hidden.2")))

    weights = trained_weights(project)
    values = digit_images(own[0]).flatten(1)
    torch.testing.assert_close(torch.tensor(until.activations), values, rtol=0, atol=0)
    active = []
    for depth, rows in enumerate(own, start=1):
        before = functional.linear(
            values, weights[f"hidden.{depth}.linear.weight"], weights[f"hidden.{depth}.linear.bias"]
        )
        active.append(before.numpy() > 0)
        values = before.clamp(min=0)
        np.testing.assert_array_equal(rows.activations, values.numpy())
        np.testing.assert_array_equal(bits(rows)[0], active[-1])
        assert 0.1 < active[-1].mean() < 0.9
    for rows, expected in ((next_units, active[1:2]), (later, active[1:]), (until, active[:2])):
        found = bits(rows)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
    assert later.codes.scheme.names_polytopes
    assert not own[0].codes.scheme.names_polytopes


def test_rows_and_codes_of_a_trained_cnn_at_a_position_and_of_whole_images(project):
    model = CNN | {"training": {"epochs": 1}}
    here = {"kind": "fixed_position", "at": [ROW, COLUMN]}
    own = rows_of(
        spec(
            model=model,
            layer="block.1",
            sampling=here,
            code=code("own"),
            sweep={"layer": ["block.1", "block.2"]},
        )
    )
    (next_units,) = rows_of(spec(model=model, layer="block.1", sampling=here, code=code("next")))
    (every,) = rows_of(
        spec(model=model, layer="block.2", sampling={"kind": "all_positions"}, code=code("own"))
    )
    (whole,) = rows_of(spec(model=model, layer="input", code=code("downstream", "all", pools=True)))
    (unpooled,) = rows_of(spec(model=model, layer="input", code=code("downstream", "all")))

    weights = trained_weights(project)

    def before(depth: int, values: torch.Tensor) -> torch.Tensor:
        block = f"block.{depth}.conv"
        return functional.conv2d(values, weights[f"{block}.weight"], weights[f"{block}.bias"], padding=1)

    one = before(1, digit_images(whole)[:, None])
    two = before(2, one.clamp(min=0))
    three = before(3, functional.max_pool2d(two.clamp(min=0), 2))
    for rows, tensor in zip(own, (one, two), strict=True):
        at = tensor[:, :, ROW, COLUMN].numpy()
        np.testing.assert_array_equal(rows.origins.position, np.full(50, 8 * ROW + COLUMN))
        np.testing.assert_array_equal(rows.activations, at.clip(min=0))
        np.testing.assert_array_equal(bits(rows)[0], at > 0)
    np.testing.assert_array_equal(bits(next_units)[0], two[:, :, ROW, COLUMN].numpy() > 0)
    channels_last = two.permute(0, 2, 3, 1).reshape(50 * 64, 9).numpy()
    np.testing.assert_array_equal(every.activations, channels_last.clip(min=0))
    np.testing.assert_array_equal(bits(every)[0], channels_last > 0)

    winners = window_winners(two.clamp(min=0), kernel=2, stride=2, padding=0)
    signs = [tensor.flatten(1).numpy() > 0 for tensor in (one, two, three)]
    expected = [signs[0], signs[1], one_hot(winners, 4), signs[2]]
    for found, other in zip(bits(whole), expected, strict=True):
        np.testing.assert_array_equal(found, other)
    for found, other in zip(bits(unpooled), signs, strict=True):
        np.testing.assert_array_equal(found, other)
    assert whole.codes.scheme.names_polytopes
    assert not unpooled.codes.scheme.names_polytopes


@pytest.fixture(scope="module")
def googlenet():
    """torchvision's network with random weights, and batch-norm statistics that keep its signals alive."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = torchvision().models.googlenet(
            weights=None, transform_input=True, aux_logits=False, init_weights=False
        )
        module.dropout.p = 0.0
        norms = [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = None
        with torch.no_grad():
            module.train()(torch.randn(4, 3, 224, 224))
    return module.eval().requires_grad_(False)


@pytest.fixture
def pictures(project):
    """Three images of two classes, of different sizes."""
    generator = np.random.default_rng(0)
    paths = []
    for number, (height, width) in enumerate([(240, 260), (256, 256), (257, 311)]):
        folder = project / "images" / ("a" if number < 2 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        coarse = generator.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
        path = folder / f"{number}.png"
        Image.fromarray(coarse).resize((width, height)).save(path)
        paths.append(path)
    return paths


def test_rows_and_codes_of_googlenet(project, googlenet, pictures):
    torch.save(googlenet.state_dict(), project / "weights.pth")
    model = {
        "kind": "torchvision",
        "name": "googlenet",
        "weights": {"file": "weights.pth", "preset": "IMAGENET1K_V1"},
    }
    shared = {
        "model": model,
        "dataset": {"kind": "image_folder", "root": "images"},
        "layer": "inception4c",
        "sampling": {"kind": "fixed_position", "at": "center"},
    }
    layers = ["inception4c", "maxpool1", "conv3", "inception5b"]
    activations_alone = {"means": spec()["analyses"]["means"]}
    several = rows_of(spec(**shared, analyses=activations_alone, sweep={"layer": layers}), limit=None)
    (own,) = rows_of(spec(**shared, code=code("own")), limit=None)
    (next_units,) = rows_of(spec(**shared, code=code("next", pools=True)), limit=None)
    changes = {"layer": "inception5a", "sampling": None}
    whole_spec = spec(**{**shared, **changes}, code=code("downstream", "all", pools=True))
    (whole,) = rows_of({key: value for key, value in whole_spec.items() if value is not None}, limit=None)

    preset = torchvision().models.GoogLeNet_Weights.IMAGENET1K_V1.transforms()
    assert [Path(name).name for name in own.origins.example_ids] == [path.name for path in pictures]
    inputs = torch.stack([preset(Image.open(path).convert("RGB")) for path in pictures])
    seen: dict[str, torch.Tensor] = {}
    handles = [
        part.register_forward_hook(lambda *given, name=name: seen.update({name: given[2].clone()}))
        for name, part in googlenet.named_modules()
        if name.endswith(".bn") or name in ("inception4c", "inception5a")
    ]
    googlenet(inputs)
    for handle in handles:
        handle.remove()
    feature_extraction = import_module("torchvision.models.feature_extraction")
    extract = feature_extraction.create_feature_extractor(googlenet, layers)
    features = extract(inputs)

    # One batch here and there, hence the same kernels: equal to the last bit.
    for layer, rows in zip(layers, several, strict=True):
        side = features[layer].shape[2] // 2
        np.testing.assert_array_equal(rows.activations, features[layer][:, :, side, side].numpy())
    np.testing.assert_array_equal(own.activations, several[0].activations)

    def signs(*names: str, at: int | None = None) -> list[np.ndarray]:
        chosen = [seen[f"{name}.bn"] for name in names]
        rows = [item.flatten(1) if at is None else item[:, :, at, at] for item in chosen]
        return [item.numpy() > 0 for item in rows]

    units = ("branch1", "branch2.1", "branch3.1", "branch4.1")
    own_bits = signs(*(f"inception4c.{name}" for name in units), at=7)
    np.testing.assert_array_equal(np.concatenate(bits(own), axis=1), np.concatenate(own_bits, axis=1))
    assert 0.1 < np.concatenate(own_bits, axis=1).mean() < 0.9

    # Pools are no units: the fourth branch's first units stand behind its pool.
    firsts = [f"inception4d.{name}" for name in ("branch1", "branch2.0", "branch3.0")]
    winners = window_winners(seen["inception4c"], kernel=3, stride=1, padding=1)[:, :, 7, 7]
    expected = [*signs(*firsts, at=7), one_hot(winners, 9), *signs("inception4d.branch4.1", at=7)]
    for found, other in zip(bits(next_units), expected, strict=True):
        np.testing.assert_array_equal(found, other)

    later = [
        f"inception5b.{name}" for name in ("branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1")
    ]
    winners = window_winners(seen["inception5a"], kernel=3, stride=1, padding=1)
    expected = [*signs(*later), one_hot(winners, 9), *signs("inception5b.branch4.1")]
    for found, other in zip(bits(whole), expected, strict=True):
        np.testing.assert_array_equal(found, other)
    assert whole.codes.scheme.names_polytopes

    # Other batches take other kernels, which add the same numbers in another order.
    options = Options(accelerator="cpu", batch_size=2)
    (project / ".polylens").rename(project / "before")
    (small,) = rows_of(spec(**shared, code=code("own")), limit=None, options=options)
    scale = float(np.abs(own.activations).max())
    np.testing.assert_allclose(small.activations, own.activations, rtol=0, atol=1e-5 * scale)
    before = [seen[f"inception4c.{name}.bn"][:, :, 7, 7].numpy() for name in units]
    for one, two, values in zip(bits(small), bits(own), before, strict=True):
        # Only where rounding reaches zero may a processor find another sign.
        assert not (one != two)[np.abs(values) > 1e-5 * np.abs(values).max()].any()


@pytest.mark.parametrize(
    "changes",
    [
        {"model": MLP | {"training": {"epochs": 2}}, "layer": "hidden.1", "code": code("downstream", "all")},
        {
            "model": CNN | {"training": {"epochs": 1}},
            "layer": "block.2",
            "sampling": {"kind": "random_positions", "count": 3},
            "code": code("own"),
        },
    ],
    ids=["mlp", "cnn"],
)
def test_codes_are_equal_for_all_batch_sizes_and_numbers_of_processes(project, changes):
    found = {}
    for batch_size, devices in ((64, 1), (1, 1), (7, 1), (7, 2)):
        options = Options(accelerator="cpu", batch_size=batch_size, devices=devices)
        codes_alone = {"codes": spec()["analyses"]["codes"]}
        (rows,) = rows_of(spec(**changes, analyses=codes_alone), limit=300, options=options)
        found[batch_size, devices] = np.array(rows.codes.packed), np.array(rows.origins.position)
        for stage in (project / ".polylens").rglob("harvest"):
            stage.rename(project / f"harvest-{batch_size}-{devices}")
    reference, positions = found.pop((64, 1))
    assert reference.size
    # A sign may change only where the pre-activation is zero up to rounding, as it is counted.
    n_near = round(
        rows.codes.near_boundary_fraction
        * len(reference)
        * sum(layer.units for layer in rows.codes.scheme.layers)
    )
    assert n_near < 1e-4 * 8 * reference.size
    for one, places in found.values():
        np.testing.assert_array_equal(places, positions)
        assert int(np.bitwise_count(one ^ reference).sum()) <= n_near
