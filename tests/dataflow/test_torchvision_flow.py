from __future__ import annotations

from functools import cache
from importlib import import_module

import pytest
import torch
from torch import nn

from polylens.codes.sign import Sign
from polylens.dataflow import Flow, Nonlinearity, capture, trace
from polylens.imports import torchvision

SIDE = 64


@cache
def fresh(name: str, *, side: int) -> tuple[nn.Module, Flow]:
    """An untrained network and its data flow."""
    slow_to_draw = ("googlenet", "inception_v3", "vgg11_bn")
    options = {"init_weights": False} if name in slow_to_draw else {}
    if name == "googlenet":
        options["aux_logits"] = False
    torch.manual_seed(0)
    module = getattr(torchvision().models, name)(weights=None, **options).eval().requires_grad_(False)
    return module, trace(module, torch.zeros(1, 3, side, side))


@cache
def googlenet() -> tuple[nn.Module, Flow]:
    """A fresh GoogLeNet whose batch norms have seen data, so that signs are mixed and no layer dies out."""
    module, flow = fresh("googlenet", side=SIDE)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None
    with torch.no_grad():
        module.train()(torch.randn(8, 3, SIDE, SIDE))
    return module.eval(), flow


def images(n: int) -> torch.Tensor:
    return torch.randn(n, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def test_googlenet_has_its_57_relus_and_its_13_pools() -> None:
    _, flow = googlenet()
    assert [item.role for item in flow.nonlinearities].count("units") == 57
    assert [item.role for item in flow.nonlinearities].count("pool") == 13
    assert flow.obstacles("input", "output") == ()


def test_googlenets_block_owns_its_four_branches_in_the_order_of_their_channels() -> None:
    _, flow = googlenet()
    places = ("branch1", "branch2.1", "branch3.1", "branch4.1")
    assert [item.name for item in flow.own("inception4c")] == [
        f"inception4c.{place}:relu" for place in places
    ]
    assert [item.shape.width for item in flow.own("inception4c")] == [128, 256, 64, 64]
    assert flow.own("inception4c.branch1.conv") == ()


def test_googlenets_captured_block_is_torchvisions_feature_and_own_bits_are_its_active_channels() -> None:
    module, flow = googlenet()
    x = images(3)
    code = Sign(units="own", positions="all")
    selection = code.select(flow, "inception4c")
    bits: list[torch.Tensor] = []
    layers: dict[str, torch.Tensor] = {}

    def take(item: str | Nonlinearity, tensor: torch.Tensor) -> None:
        if isinstance(item, str):
            layers[item] = tensor.clone()
        else:
            bits.append(code.encode(item, tensor.flatten(1)))

    with torch.no_grad():
        capture(module, x, layers=("inception4c",), nonlinearities=selection.nonlinearities, take=take)
        torchvision()
        extraction = import_module("torchvision.models.feature_extraction")
        extract = extraction.create_feature_extractor(module, ["inception4c"])
        expected = extract(x)["inception4c"]
    assert torch.equal(layers["inception4c"], expected)
    assert torch.equal(torch.cat(bits, dim=1), expected.flatten(1) > 0)
    assert 0.1 < float((expected > 0).float().mean()) < 0.9


@pytest.mark.parametrize("layer", ["inception4c", "inception4c.branch1", "conv2", "maxpool4"])
def test_downstream_of_googlenets_layers_is_what_autograd_says_depends_on_them(layer: str) -> None:
    module, flow = googlenet()
    leaf: list[torch.Tensor] = []

    def cut(*arguments: object) -> torch.Tensor:
        leaf.append(arguments[-1].detach().requires_grad_())  # type: ignore[attr-defined]
        return leaf[0].clone()

    depends: set[str] = set()

    def take(item: str | Nonlinearity, tensor: torch.Tensor) -> None:
        if isinstance(item, Nonlinearity) and tensor.requires_grad:
            depends.add(item.name)

    handle = module.get_submodule(layer).register_forward_hook(cut)
    units = [item for item in flow.nonlinearities if item.role == "units"]
    with torch.enable_grad():
        capture(module, images(1), layers=(), nonlinearities=units, take=take)
    handle.remove()
    found = {item.name for item in flow.between(layer, "output") if item.role == "units"}
    assert found == depends
    assert len(leaf) == 1


@pytest.mark.parametrize(
    ("name", "layer", "own", "units"),
    [
        ("alexnet", "features", ["features.12"], 7),
        ("vgg11_bn", "features.9", ["features.10"], 10),
        ("resnet18", "layer2.0", ["layer2.0.relu#2"], 17),
        ("densenet121", "features.norm5", ["network:relu"], 121),
        ("inception_v3", "Mixed_7b.branch1x1", ["Mixed_7b.branch1x1:relu"], 94),
        (
            "squeezenet1_1",
            "features.3",
            ["features.3.expand1x1_activation", "features.3.expand3x3_activation"],
            26,
        ),
        ("mobilenet_v2", "features.2.conv.0", ["features.2.conv.0.2"], 35),
    ],
)
def test_other_networks_are_understood_too(name: str, layer: str, own: list[str], units: int) -> None:
    _, flow = fresh(name, side=96 if name == "inception_v3" else SIDE)
    assert [item.name for item in flow.own(layer)] == own
    assert [item.role for item in flow.nonlinearities].count("units") == units
    assert flow.obstacles("input", "output") == ()
    verdict = Sign(units="downstream", positions="all", pools=True).select(flow, "input").scheme
    assert verdict.names_polytopes, verdict.reason


def test_a_transformer_is_said_to_be_none() -> None:
    torch.manual_seed(0)
    module = torchvision().models.VisionTransformer(32, 16, 2, 2, 8, 16, num_classes=3).eval()
    flow = trace(module, torch.zeros(1, 3, 32, 32))
    found = flow.obstacles("input", "output")
    assert any("layer_norm" in sentence for sentence in found)
    assert [item.operation for item in flow.own("encoder.layers.encoder_layer_0.mlp.0")] == ["gelu"]
    scheme = Sign(units="own", positions="same").select(flow, "encoder.layers.encoder_layer_0.mlp.0").scheme
    assert scheme.units == 16
