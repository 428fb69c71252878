"""Codes and affine maps of the trained network against plain forward passes, and another library's build."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.mlflow_database import put_database
from tests.shapes import unchecked
from torch import nn

import polylens
from polylens import imports
from polylens.devices import Options
from polylens.geometry import record, segment_crossings
from polylens.models.efficientnet_lite import EfficientnetLite

MODEL = EfficientnetLite()
PHOTOGRAPHS = ("skimage/data/chelsea.png", "skimage/data/coffee.png", "sklearn/datasets/images/flower.jpg")


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """The trained network in double precision."""
    return (
        MODEL.load(MODEL.build(torch.Generator()), root=Path()).double().requires_grad_(requires_grad=False)
    )


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    from polylens.datasets._images import decode, prepare

    found = [prepare(decode(path.read_bytes(), ending=path.suffix), MODEL.input_format()) for path in paths()]
    return torch.from_numpy(np.stack(found)).double()


def paths() -> list[Path]:
    return [
        Path(str(import_module(package).__file__)).parent / inside
        for package, _, inside in (name.partition("/") for name in PHOTOGRAPHS)
    ]


def given_to(network: nn.Module, kind: type[nn.Module], inputs: torch.Tensor) -> list[torch.Tensor]:
    """What each module of a kind is given in one pass, in the order of execution; some work in place."""
    found: list[torch.Tensor] = []
    handles = [
        part.register_forward_pre_hook(lambda _module, given: found.append(given[0].clone()))
        for part in network.modules()
        if isinstance(part, kind)
    ]
    network(inputs)
    for handle in handles:
        handle.remove()
    return found


def tail(network: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """From block.15 to the logits, by hand."""

    def forward(tensor: torch.Tensor) -> torch.Tensor:
        heads = network._bn1(network._conv_head(tensor))
        logits: torch.Tensor = network._fc(heads.clamp(0.0, 6.0).mean((2, 3)))
        return logits

    return forward


def before_head(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    found: list[torch.Tensor] = []
    handle = network._conv_head.register_forward_pre_hook(lambda _module, given: found.append(given[0]))
    network(images)
    handle.remove()
    return found[0]


@pytest.mark.slow
def test_a_runs_codes_are_the_regimes_of_a_plain_pass_of_timms_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports.torchvision()
    import timm

    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    monkeypatch.chdir(tmp_path)
    for path in paths():
        (tmp_path / "photographs" / path.stem).mkdir(parents=True)
        shutil.copy(path, tmp_path / "photographs" / path.stem)
    spec = {
        "about": "Codes of a trained network.",
        "claim": "They are what a plain pass gives. Refuted by any bit that differs.",
        "seed": 0,
        "model": {"kind": "efficientnet_lite"},
        "layer": "block.15",
        "dataset": {"kind": "image_folder", "root": "photographs"},
        "code": {"kind": "sign", "units": "downstream", "through": "output", "positions": "all"},
        "analyses": {"codes": {"kind": "code_statistics", "pairs": 10, "resamples": 2}},
    }
    with unchecked():
        result = polylens.run(spec, options=Options(accelerator="cpu"))
    rows = polylens.load_rows(result)
    assert rows.codes is not None
    assert rows.codes.scheme.names_polytopes
    (layer,) = rows.codes.scheme.layers
    assert (layer.units, layer.bits_per_unit) == (62_720, 2)
    bits = np.unpackbits(np.asarray(rows.codes.packed), axis=1).astype(bool)

    other = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    own = MODEL.load(MODEL.build(torch.Generator()), root=Path()).state_dict()
    names = [name for name, value in other.state_dict().items() if value.ndim]
    other.load_state_dict(
        dict(zip(names, (value for value in own.values() if value.ndim), strict=True)), strict=False
    )
    from polylens.datasets._images import decode, prepare

    order = {path.stem: path for path in paths()}
    content = [order[name.split("/")[0]] for name in rows.origins.example_ids]
    given = np.stack(
        [prepare(decode(p.read_bytes(), ending=p.suffix), MODEL.input_format()) for p in content]
    )
    with torch.no_grad():
        plain = given_to(other, nn.ReLU6, torch.from_numpy(given))[-1].flatten(1).numpy()
    # Another library sums in another order: what lies on a kink to rounding is no bit of either.
    for bit, kink in enumerate((0.0, 6.0)):
        clear = np.abs(plain - kink) > 1e-4
        assert clear.mean() > 0.99
        differing = (bits[:, bit::2] != (plain > kink)) & clear
        assert not differing.any()


def test_a_step_that_changes_no_regime_leaves_the_logits_affine(
    network: nn.Module, images: torch.Tensor
) -> None:
    # All 6,157,536 units of the whole network, from its input.
    step = 1e-9 * (images[1] - images[0])
    points = torch.stack([images[0], images[0] + step, images[0] + 2 * step])
    given = given_to(network, nn.ReLU6, points)
    regimes = [(tensor > 0).int() + (tensor > 6) for tensor in given]
    assert sum(tensor[0].numel() for tensor in given) == 6_157_536
    assert all(torch.equal(regime[0], regime[1]) and torch.equal(regime[0], regime[2]) for regime in regimes)
    before, here, after = network(points)
    first, second = (after - before).abs().max(), (after - 2 * here + before).abs().max()
    assert first > 1e-9
    assert second < 1e-12  # logits of about 10, each with an error of some 1e-15 times the sums behind it
    far = network(torch.stack([images[0] + factor * (images[1] - images[0]) for factor in (0.0, 0.25, 0.5)]))
    assert (far[2] - 2 * far[1] + far[0]).abs().max() > 0.01 * (far[2] - far[0]).abs().max()


def test_equal_codes_have_equal_jacobians_and_a_crossing_changes_them(
    network: nn.Module, images: torch.Tensor
) -> None:
    start, end = before_head(network, images[:2])
    part = record(network, images[:1]).part("_blocks.15")
    found = segment_crossings(part, start, end, keep_outputs=False)
    assert len(found.position) > 1000
    forward = tail(network)
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(1000, generator=generator, dtype=torch.float64)  # of the Jacobian's rows
    ends = found.breakpoints
    widest = np.argsort(np.diff(ends))[-5:]
    for cell in widest:
        low, high = ends[cell], ends[cell + 1]
        inside = [low + share * (high - low) for share in (0.2, 0.5, 0.8)]
        places = [*inside, (ends[cell + 1] + ends[cell + 2]) / 2] if cell + 2 < len(ends) else inside
        slopes = []
        codes = []
        for place in places:
            point = torch.lerp(start, end, torch.tensor(place, dtype=torch.float64))[None].requires_grad_()
            heads = network._bn1(network._conv_head(point))
            codes.append((heads > 0).int() + (heads > 6))
            slopes.append(torch.autograd.grad((forward(point) * weights).sum(), point)[0])
        for slope, code in zip(slopes[1:3], codes[1:3], strict=True):
            assert torch.equal(code, codes[0])
            torch.testing.assert_close(slope, slopes[0], rtol=1e-12, atol=1e-12)
        for slope, code in zip(slopes[3:], codes[3:], strict=True):
            assert not torch.equal(code, codes[0])
            assert (slope - slopes[0]).abs().max() > 1e-9
