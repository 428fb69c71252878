from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from polylens import imports
from polylens.errors import DataError, UsageError
from polylens.models.torchvision import Torchvision
from polylens.models.torchvision.published import published_weights


def model(name: str, **fields: Any) -> Torchvision:
    return Torchvision.model_validate({"name": name, **fields})


def built(chosen: Torchvision, seed: int = 0) -> torch.nn.Module:
    return chosen.build(torch.Generator().manual_seed(seed))


def images(size: int = 64) -> torch.Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(9))


def test_names_and_weights_read_from_source_are_those_torchvision_registers() -> None:
    models = imports.torchvision().models
    registered = {
        name: tuple(models.get_model_weights(name).__members__) for name in models.list_models(models)
    }
    assert published_weights() == registered


def test_a_misspelt_network_is_told_the_nearest_name() -> None:
    with pytest.raises(ValidationError, match="no network named 'googlnet'; did you mean 'googlenet'"):
        model("googlnet")


def test_misspelt_weights_are_told_the_nearest_name_also_as_a_preset() -> None:
    with pytest.raises(
        ValidationError, match="weights of googlenet named 'IMAGENET1K_V2'; did you mean 'IMAGENET1K_V1'"
    ):
        model("googlenet", weights="IMAGENET1K_V2")
    with pytest.raises(ValidationError, match="did you mean 'IMAGENET1K_V1'"):
        model("googlenet", weights={"file": "a.pth", "preset": "IMAGENET_V1"})


def test_a_network_unknown_to_the_source_reader_is_still_refused_when_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("polylens.models.torchvision.published_weights", dict)
    with pytest.raises(UsageError, match="did you mean 'IMAGENET1K_V1'"):
        built(model("googlenet", weights="IMAGENET1K_V9"))
    with pytest.raises(UsageError, match="no network named 'googlnet'; did you mean 'googlenet'"):
        built(model("googlnet"))


def test_outputs_are_named_where_weights_are_published() -> None:
    names = model("googlenet", weights="IMAGENET1K_V1").output_names()
    assert (len(names), names[0], names[-1]) == (1000, "tench", "toilet tissue")
    assert model("googlenet").output_names() == ()
    assert model("googlenet", weights={"file": "a.pth", "preset": "IMAGENET1K_V1"}).output_names() == ()


def test_published_weights_have_1000_classes() -> None:
    with pytest.raises(ValidationError, match="1000 classes"):
        model("resnet18", weights="IMAGENET1K_V1", classes=10)


def test_the_same_seed_gives_the_same_network_and_the_global_stream_is_left_alone() -> None:
    before = torch.get_rng_state()
    one, two, other = (built(model("squeezenet1_1"), seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["features.0.weight"], other["features.0.weight"])
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_auxiliary_heads_are_off_and_inputs_transformed_only_as_published_weights_expect(name: str) -> None:
    fresh = built(model(name, classes=2))
    as_published = built(model(name, classes=2, weights={"preset": "IMAGENET1K_V1"}))
    assert not any("aux" in part.lower() for part, _ in fresh.named_modules())
    assert not fresh.transform_input
    assert as_published.transform_input
    assert fresh(images(96)).shape == (2, 2)


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "efficientnet_v2_s", "vit_b_16"])
def test_preprocessing_is_the_weights_own(name: str) -> None:
    preset = imports.torchvision().models.get_model_weights(name)["IMAGENET1K_V1"].transforms()
    found = model(name, weights="IMAGENET1K_V1").input_format()
    assert found.resize == preset.resize_size[0]
    assert found.crop == (preset.crop_size[0],) * 2
    assert found.interpolation == preset.interpolation.value
    assert list(found.mean) == preset.mean
    assert list(found.std) == preset.std


def test_without_weights_images_are_prepared_as_is_usual_for_imagenet() -> None:
    assert model("resnet18").input_format() == model("googlenet", weights="IMAGENET1K_V1").input_format()


def test_another_image_size_scales_the_resizing_along() -> None:
    small = model("resnet18", weights="IMAGENET1K_V1", image_size=112)
    assert small.input_format().crop == (112, 112)
    assert small.input_format().resize == 128
    assert small.input_shape() == (3, 112, 112)


def test_networks_made_for_one_size_are_built_for_the_size_asked_for() -> None:
    # 64 / 16 = 4 by 4 patches and the class token
    assert built(model("vit_b_16", image_size=64, classes=2)).encoder.pos_embedding.shape[1] == 17
    weights = {"preset": "IMAGENET1K_SWAG_E2E_V1"}
    chosen = model("vit_b_16", weights=weights, classes=2)
    assert chosen.input_shape() == (3, 384, 384)
    # 384 / 16 = 24 by 24 patches and the class token
    assert built(chosen).encoder.pos_embedding.shape[1] == 577


@pytest.mark.parametrize(("name", "size"), [("vit_b_16", 50), ("vit_h_14", 64), ("maxvit_t", 64)])
def test_a_size_that_a_network_cannot_be_built_for_is_told(name: str, size: int) -> None:
    with pytest.raises(UsageError, match=f"cannot build {name} for images of {size} x {size} .*divisible"):
        built(model(name, image_size=size))


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("name", ["googlenet", "resnet18"])
def test_a_local_file_gives_the_same_outputs_as_the_network_it_was_saved_from(
    name: str, ending: str, tmp_path: Path
) -> None:
    original = built(model(name, classes=5), seed=1)
    path = tmp_path / f"weights.{ending}"
    save_file(original.state_dict(), path) if ending == "safetensors" else torch.save(
        original.state_dict(), path
    )
    chosen = model(name, classes=5, weights={"file": path.name})
    loaded = chosen.load(built(chosen, seed=2), root=tmp_path)
    assert torch.equal(loaded(images()), original(images()))
    assert not loaded.training


def test_a_published_state_dict_with_auxiliary_heads_fits(tmp_path: Path) -> None:
    googlenet = imports.torchvision().models.googlenet
    with_heads = googlenet(weights=None, aux_logits=True, init_weights=False, transform_input=True).eval()
    torch.save(with_heads.state_dict(), tmp_path / "w.pth")
    chosen = model("googlenet", weights={"file": "w.pth", "preset": "IMAGENET1K_V1"})
    loaded = chosen.load(built(chosen), root=tmp_path)
    assert torch.equal(loaded(images()), with_heads(images()))


def test_checkpoints_of_training_scripts_are_unpacked(tmp_path: Path) -> None:
    original = built(model("squeezenet1_1", classes=2), seed=1)
    wrapped = {f"module.{name}": tensor for name, tensor in original.state_dict().items()}
    torch.save({"state_dict": wrapped, "epoch": 3}, tmp_path / "w.pth")
    chosen = model("squeezenet1_1", classes=2, weights={"file": "w.pth"})
    assert torch.equal(chosen.load(built(chosen), root=tmp_path)(images()), original(images()))


def test_a_module_that_asks_for_versions_gets_todays_from_safetensors(tmp_path: Path) -> None:
    original = built(model("mnasnet0_5", classes=2), seed=1)
    save_file(original.state_dict(), tmp_path / "w.safetensors")
    chosen = model("mnasnet0_5", classes=2, weights={"file": "w.safetensors"})
    assert torch.equal(chosen.load(built(chosen), root=tmp_path)(images()), original(images()))


def test_misfits_are_named_by_kind(tmp_path: Path) -> None:
    state = built(model("resnet18", classes=5)).state_dict()
    state["layer9.weight"] = state.pop("layer1.0.conv1.weight")
    torch.save(state, tmp_path / "w.pth")
    chosen = model("resnet18", classes=6, weights={"file": "w.pth"})
    with pytest.raises(DataError) as error:
        chosen.load(built(chosen), root=tmp_path)
    assert "layer1.0.conv1.weight missing" in str(error.value)
    assert "layer9.weight unknown to the network" in str(error.value)
    assert "fc.weight is 5 x 512 instead of 6 x 512, fc.bias is 5 instead of 6" in str(error.value)


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this must never run",))


@pytest.mark.parametrize("content", [Payload(), {"a": Payload()}])
def test_a_file_that_holds_code_is_not_run(
    content: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(content, tmp_path / "w.pth")
    chosen = model("squeezenet1_1", weights={"file": "w.pth"})
    with pytest.raises(DataError, match="cannot be read as weights"):
        chosen.load(torch.nn.Identity(), root=tmp_path)
    assert "never run" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", bytes(range(256)) * 4])
def test_a_damaged_file_is_said_to_be_damaged(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as weights"):
        model("squeezenet1_1", weights={"file": name}).load(torch.nn.Identity(), root=tmp_path)


def test_a_file_without_a_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "w.pth")
    with pytest.raises(DataError, match="holds no state dict"):
        model("squeezenet1_1", weights={"file": "w.pth"}).load(torch.nn.Identity(), root=tmp_path)


def test_a_missing_file_is_named_when_loaded_and_when_digested(tmp_path: Path) -> None:
    chosen = model("resnet18", weights={"file": "no/such.pth"})
    for attempt in (
        lambda: chosen.load(torch.nn.Identity(), root=tmp_path),
        lambda: chosen.weights_digest(root=tmp_path),
    ):
        with pytest.raises(DataError, match=r"no/such\.pth"):
            attempt()


def test_the_digest_is_the_published_name_the_files_hash_or_empty(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"weights")
    assert model("googlenet", weights="DEFAULT").weights_digest(root=tmp_path) == "googlenet-1378be20.pth"
    local = model("googlenet", weights={"file": "w.pth"})
    assert local.weights_digest(root=tmp_path) == hashlib.sha256(b"weights").hexdigest()
    assert model("googlenet").weights_digest(root=tmp_path) == ""
    assert model("googlenet", weights={"preset": "IMAGENET1K_V1"}).weights_digest(root=tmp_path) == ""


def test_offline_the_error_says_where_the_file_would_have_to_be_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: Any, **_options: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", away)
    chosen = model("googlenet", weights="IMAGENET1K_V1")
    with pytest.raises(DataError) as error:
        chosen.load(torch.nn.Identity(), root=tmp_path)
    assert str(tmp_path / "hub" / "checkpoints" / "googlenet-1378be20.pth") in str(error.value)
    assert "weights: {file: PATH, preset: IMAGENET1K_V1}" in str(error.value)


def test_a_cut_off_file_in_torchs_cache_is_found_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    place = tmp_path / "hub" / "checkpoints" / "googlenet-1378be20.pth"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"half a file")
    with pytest.raises(DataError, match="sha256 does not begin with 1378be20"):
        model("googlenet", weights="IMAGENET1K_V1").load(torch.nn.Identity(), root=tmp_path)


def test_published_weights_are_fetched_checked_and_without_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original = built(model("densenet121"), seed=1)
    # The published file has the names of an older PyTorch: norm.1 instead of norm1.
    old = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.")
        if "denselayer" in name
        else name: tensor
        for name, tensor in original.state_dict().items()
    }
    asked: dict[str, Any] = {}

    def fetch(url: str, **options: Any) -> dict[str, torch.Tensor]:
        print("Downloading")
        asked.update(options, url=url)
        return old

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fetch)
    chosen = model("densenet121", weights="IMAGENET1K_V1")
    loaded = chosen.load(built(chosen), root=tmp_path)
    assert asked["url"].startswith("https://download.pytorch.org/models/densenet121-")
    assert asked["check_hash"]
    assert asked["weights_only"]
    assert torch.equal(loaded(images()), original(images()))
    assert capsys.readouterr().out == ""


def test_untrained_keeps_architecture_and_preprocessing() -> None:
    for weights in ("IMAGENET1K_V1", {"file": "w.pth", "preset": "IMAGENET1K_V1"}):
        trained = model("googlenet", weights=weights, image_size=64)
        fresh = trained.untrained()
        assert fresh.input_format() == trained.input_format()
        assert built(fresh).transform_input
        assert fresh.weights_digest(root=Path()) == ""
        assert fresh.identity() != trained.identity()
    assert model("googlenet").untrained() == model("googlenet")


def test_names_and_paths_do_not_enter_the_identity() -> None:
    plain = model("resnet18", weights={"file": "a/w.pth"})
    moved = model("resnet18", weights={"file": "b/w.pth"}, layer_aliases={"first": "layer1"})
    assert plain.identity() == moved.identity()
    assert moved.aliases() == {"first": "layer1"}


def test_plain_data_reads_back_as_the_same_model() -> None:
    for weights in (None, "IMAGENET1K_V1", {"file": "w.pth", "preset": "IMAGENET1K_V1"}):
        original = model("resnet18", weights=weights)
        assert Torchvision.model_validate(original.to_plain()) == original
