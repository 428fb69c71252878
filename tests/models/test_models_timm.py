"""timm's networks: images prepared by its own config, weights of the hub or a file, rows of a plain pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import save_file
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.shapes import unchecked
from torch import nn

import polylens
import polylens.imports
from polylens import imports
from polylens.datasets._images import prepare
from polylens.devices import Options
from polylens.errors import DataError, UsageError
from polylens.models.timm import Timm

COMMIT = "607a30d783dfa663caf39e06633721c8d4cfcd7e"
NAME = "test_resnet.r160_in1k"


def model(name: str = NAME, **fields: Any) -> Timm:
    return Timm.model_validate({"name": name, **fields})


def built(chosen: Timm, seed: int = 0) -> nn.Module:
    return chosen.build(torch.Generator().manual_seed(seed))


def own(classes: int = 1000) -> nn.Module:
    """timm's network, made by timm alone."""
    torch.manual_seed(7)
    network: nn.Module = imports.timm().create_model("test_resnet", num_classes=classes).eval()
    return network


def picture(size: tuple[int, int], seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 7, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("name", [NAME, "test_byobnet", "tf_efficientnet_lite0", "mobilenetv2_100"])
@pytest.mark.parametrize("size", [(300, 211), (180, 500)])
def test_images_are_prepared_as_timm_does(name: str, size: tuple[int, int]) -> None:
    timm = imports.timm()
    config = timm.data.resolve_data_config({}, pretrained_cfg=timm.models.get_pretrained_cfg(name).to_dict())
    image = picture(size, seed=1)
    expected = timm.data.create_transform(**config)(image).numpy()
    found = prepare(image, model(name).input_format())
    assert found.shape == expected.shape == model(name).input_shape()
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_another_size_scales_the_shorter_side_along() -> None:
    chosen = model(image_size=64)
    assert chosen.input_shape() == (3, 64, 64)
    assert chosen.input_format().resize == 67
    with pytest.raises(UsageError, match="built for images of 160 x 160, not of 64"):
        model("test_vit", image_size=64).input_format()


def test_networks_whose_images_are_squeezed_or_padded_are_refused() -> None:
    with pytest.raises(DataError, match="crop_mode 'squash'"):
        model("coat_lite_medium_384").input_format()


def test_rows_are_those_of_a_plain_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    monkeypatch.chdir(tmp_path)
    network = own(classes=5)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    for number in range(6):
        folder = tmp_path / "images" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        picture((90, 70), seed=number).save(folder / f"{number}.png")
    spec = {
        "about": "A network of timm.",
        "claim": "Rows are those of a plain pass. Refuted by any that differs.",
        "seed": 0,
        "model": {
            "kind": "timm",
            "name": NAME,
            "weights": {"file": "weights.safetensors"},
            "classes": 5,
            "image_size": 64,
        },
        "layer": "layer2",
        "dataset": {"kind": "image_folder", "root": "images"},
        "sampling": {"kind": "all_positions"},
        "analyses": {
            "means": {"kind": "kmeans", "on": "activation", "clusters": 1, "restarts": 1, "subsamples": 0}
        },
    }
    with unchecked(), undrawn():
        result = polylens.run(spec, options=Options(accelerator="cpu"))
    rows = polylens.load_rows(result)
    files = sorted((tmp_path / "images").rglob("*.png"))
    inputs = [
        prepare(Image.open(file), model(NAME, image_size=64, classes=5).input_format()) for file in files
    ]
    found: list[torch.Tensor] = []
    network.get_submodule("layer2").register_forward_hook(lambda *given: found.append(given[2].clone()))
    with torch.no_grad():
        network(torch.tensor(np.stack(inputs)))
    expected = found[0].flatten(2).transpose(1, 2).flatten(0, 1).numpy()
    np.testing.assert_allclose(rows.activations, expected, atol=1e-5)


def test_weights_of_a_file_are_read_as_tensors_alone(tmp_path: Path) -> None:
    network = own()
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    torch.save({"state_dict": network.state_dict()}, tmp_path / "b.pt")
    inputs = torch.randn(2, 3, 64, 64)
    for name in ("a.safetensors", "b.pt"):
        chosen = model(weights={"file": name})
        with torch.no_grad():
            assert torch.equal(chosen.load(built(chosen), root=tmp_path)(inputs), network(inputs))
    one, other = (model(weights={"file": name}) for name in ("a.safetensors", "b.pt"))
    assert one.identity() == other.identity()
    assert one.weights_digest(root=tmp_path) != other.weights_digest(root=tmp_path)
    few = model(weights={"file": "a.safetensors"}, classes=5)
    with pytest.raises(DataError, match=r"does not fit the network.*fc\.weight"):
        few.load(built(few), root=tmp_path)
    assert model(weights={"file": "c.pt"}).missing(root=tmp_path) == tmp_path / "c.pt"


def test_fresh_weights_are_timms_own_drawn_from_the_seed() -> None:
    before = torch.random.get_rng_state()
    drawn = [built(model(), seed).state_dict() for seed in (0, 0, 1)]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(drawn[0][name], drawn[1][name]) for name in drawn[0])
    assert not torch.equal(drawn[0]["layer1.0.conv1.weight"], drawn[2]["layer1.0.conv1.weight"])
    trained = model(weights="hub", revision=COMMIT)
    assert trained.untrained() == model()
    assert trained.identity() != model().identity()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, which cannot be reached."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "hub"


def test_weights_in_the_hubs_cache_are_used_offline(hub: Path) -> None:
    folder = hub / f"models--timm--{NAME}" / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    network = own()
    save_file(network.state_dict(), folder / "model.safetensors")
    chosen = model(weights="hub", revision=COMMIT)
    inputs = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(chosen.load(built(chosen), root=Path())(inputs), network(inputs))
    assert chosen.weights_digest(root=Path()) == COMMIT
    assert chosen.weights_in_words() == f"published for timm on the hub, {NAME} at {COMMIT}"


def test_offline_the_error_says_what_to_download_and_how(hub: Path) -> None:
    chosen = model(weights="hub", revision=COMMIT)
    with pytest.raises(DataError) as error:
        chosen.load(built(chosen), root=Path())
    said = str(error.value)
    assert f"timm/{NAME} at revision 607a30d7 is not on this machine, and HF_HUB_OFFLINE is set" in said
    assert f"hf download timm/{NAME} --revision {COMMIT} --include 'model.safetensors'" in said
    assert "`weights: {file: PATH}`" in said


def test_names_that_timm_does_not_know_are_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no network named 'resnet81'; did you mean 'resnet18'"):
        built(model("resnet81"))
    with pytest.raises(UsageError, match=r"no weights named 'resnet18\.a4_in1k'; did you mean 'resnet18\.a"):
        built(model("resnet18.a4_in1k"))


def test_what_the_weights_need_is_said_before_anything_is_read() -> None:
    with pytest.raises(ValidationError, match="needs the `revision`"):
        model(weights="hub")
    with pytest.raises(ValidationError, match="only for weights: hub"):
        model(revision=COMMIT)
    with pytest.raises(ValidationError, match="not 'main': branches and tags move"):
        model(weights="hub", revision="main")


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise ImportError

    monkeypatch.setattr(polylens.imports, "timm", none)
    with pytest.raises(DataError, match=r"need the package timm.*\n.*pip install 'polylens\[timm\]'"):
        built(model())


def test_plain_data_reads_back_as_the_same_model() -> None:
    for fields in ({}, {"weights": "hub", "revision": COMMIT}, {"weights": {"file": "w.pt"}, "classes": 3}):
        assert Timm.model_validate(model(**fields).to_plain()) == model(**fields)
