from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.text_models import ARCHITECTURES, CONTEXT, tiny_config, tiny_model, tiny_tokenizer
from torch import nn

from polylens import imports
from polylens.codes.sign import Sign
from polylens.dataflow import Flow, Nonlinearity, capture, trace
from polylens.models.transformers import Transformers
from polylens.records import PADDING

SIGN = Sign(units="own", positions="same")
SHORT = ("mlp_pre", "mlp_post", "mlp_out", "attention_out", "residual")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of every architecture."""
    root = tmp_path_factory.mktemp("models")
    return {name: tiny_model(root / name, name, seed=3) for name in ARCHITECTURES}


def model(source: Path | str, **fields: Any) -> Transformers:
    return Transformers.model_validate({"source": str(source), **fields})


def loaded(chosen: Transformers) -> nn.Module:
    return chosen.load(chosen.build(torch.Generator().manual_seed(0)), root=Path())


def plain(folder: Path) -> nn.Module:
    """The network as anybody would load it, without anything of ours."""
    transformers = imports.transformers()
    name = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"][0]
    return getattr(transformers, name).from_pretrained(folder, local_files_only=True).eval()


def ids_of(lengths: list[int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(5, 380, (len(lengths), max(lengths)), generator=generator)
    for row, length in zip(ids, lengths, strict=True):
        row[length:] = PADDING
    return ids


def hooked(network: nn.Module, path: str, ids: torch.Tensor) -> torch.Tensor:
    """A module's output in a plain forward pass, `examples tokens channels`."""
    found: list[torch.Tensor] = []

    def keep(module: nn.Module, args: Any, output: Any) -> None:
        tensor = output[0] if isinstance(output, tuple) else output
        found.append(tensor.reshape(*ids.shape, -1))

    handle = network.get_submodule(path).register_forward_hook(keep)
    mask = (ids != PADDING).long()
    padded = not bool(mask.all())
    with torch.no_grad():
        network(input_ids=ids.clamp(min=0), **({"attention_mask": mask} if padded else {}), use_cache=False)
    handle.remove()
    return found[0]


def caught(
    network: nn.Module, flow: Flow, ids: torch.Tensor, layers: list[str], units: list[Nonlinearity]
) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}

    def take(item: str | Nonlinearity, tensor: torch.Tensor) -> None:
        found[item if isinstance(item, str) else f"at {item.name}"] = tensor.clone()

    with torch.no_grad():
        capture(network, ids, layers=layers, nonlinearities=units, take=take, shapes=flow.layers)
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("lengths", [[9], [9, 4], [CONTEXT], [*range(3, 19)], [11] * 16], ids=str)
def test_codes_and_activations_are_those_of_a_plain_forward_pass_with_a_hook(
    architecture: str, lengths: list[int], folders: dict[str, Path]
) -> None:
    chosen = model(folders[architecture])
    ours, theirs, ids = loaded(chosen), plain(folders[architecture]), ids_of(lengths)
    flow = trace(ours, chosen.example_input(), aliases=chosen.aliases())
    before = [flow.resolve(f"mlp_pre.{number}") for number in range(3)]
    layers = [flow.resolve(f"{short}.{number}") for short in SHORT for number in range(3)]
    units = [unit for name in before for unit in SIGN.select(flow, name).nonlinearities]
    assert [unit.shape.grid for unit in units] == [(CONTEXT,)] * 3
    found = caught(ours, flow, ids, layers, units)
    real = ids != PADDING
    for name in layers:
        assert torch.equal(found[name][real], hooked(theirs, name, ids)[real]), name
    for name, unit in zip(before, units, strict=True):
        expected = hooked(theirs, name, ids)[real]
        bits = SIGN.encode(unit, found[f"at {unit.name}"][real])
        assert torch.equal(bits, expected > 0)
        assert 0.1 < bits.float().mean() < 0.9


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_padding_and_companions_hardly_change_what_is_computed(
    architecture: str, folders: dict[str, Path]
) -> None:
    chosen = model(folders[architecture])
    network, ids = loaded(chosen), ids_of([5, 12, 8])
    flow = trace(network, chosen.example_input(), aliases=chosen.aliases())
    layer = flow.resolve("residual.2")
    together = caught(network, flow, ids, [layer], [])[layer]
    for row, length in enumerate([5, 12, 8]):
        alone = caught(network, flow, ids[row : row + 1, :length], [layer], [])[layer]
        torch.testing.assert_close(together[row, :length], alone[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_one_token_at_a_time_is_a_text_too(architecture: str, folders: dict[str, Path]) -> None:
    chosen = model(folders[architecture])
    network, theirs, ids = loaded(chosen), plain(folders[architecture]), ids_of([1, 1, 1])
    flow = trace(network, chosen.example_input(), aliases=chosen.aliases())
    layer = flow.resolve("mlp_pre.1")
    found = caught(network, flow, ids, [layer], list(flow.own(layer)))
    for tensor in found.values():
        assert torch.equal(tensor, hooked(theirs, layer, ids))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_names_told_from_the_config_are_the_networks_own(architecture: str, folders: dict[str, Path]) -> None:
    chosen = model(folders[architecture])
    network: Any = loaded(chosen)
    flow = trace(network, chosen.example_input(), aliases=chosen.aliases())
    layers = chosen.layers()
    assert layers is not None
    assert {name for name in flow.layers if name not in ("input", "output")} == set(layers)
    assert len(chosen.aliases()) == 5 * 3 + 1
    assert network.get_submodule(chosen.token_embedding()) is network.get_input_embeddings()
    assert set(chosen.aliases().values()) <= set(layers)
    widths = {short: flow.layers[flow.resolve(f"{short}.1")].width for short in SHORT}
    assert widths == {"mlp_pre": 64, "mlp_post": 64, "mlp_out": 16, "attention_out": 16, "residual": 16}


@pytest.mark.parametrize("head", ["BertForMaskedLM", "GPT2Model"])
def test_other_heads_have_their_own_names(head: str, tmp_path: Path) -> None:
    config = {**tiny_config("bert" if "Bert" in head else "gpt2"), "architectures": [head]}
    chosen = model("config", config=config, tokenizer=str(tiny_tokenizer(tmp_path)))
    flow = trace(chosen.build(torch.Generator().manual_seed(0)), chosen.example_input())
    layers = chosen.layers()
    assert layers is not None
    assert {name for name in flow.layers if name not in ("input", "output")} == set(layers)
    assert set(chosen.aliases().values()) <= set(layers)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_attention_is_computed_as_asked_for(attention: str, folders: dict[str, Path]) -> None:
    network: Any = loaded(model(folders["gpt2"], attention=attention))
    assert network.config._attn_implementation == attention
    assert next(network.parameters()).dtype == torch.float32


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_fresh_weights_come_from_the_generator_alone(architecture: str, folders: dict[str, Path]) -> None:
    chosen = model(folders[architecture]).untrained()
    before = torch.get_rng_state()
    one, two, other = (
        chosen.load(chosen.build(torch.Generator().manual_seed(seed)), root=Path()).state_dict()
        for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    matrices = [name for name, tensor in one.items() if tensor.dim() == 2]
    assert not any(torch.equal(one[name], other[name]) for name in matrices)
    assert torch.equal(before, torch.get_rng_state())
    own = loaded(model(folders[architecture])).state_dict()
    assert own.keys() == one.keys()
    assert not any(torch.equal(one[name], own[name]) for name in matrices)


def test_a_copy_of_the_network_takes_ids_too(folders: dict[str, Path]) -> None:
    network = loaded(model(folders["gpt2"]))
    ids = ids_of([7, 3])
    assert torch.equal(copy.deepcopy(network)(ids).logits, network(ids).logits)
