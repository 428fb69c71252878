"""Files of weights as training scripts leave them: longer names, and other things beside the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from polylens.errors import DataError
from polylens.models._weight_names import places_of
from polylens.models._weights_file import in_groups, put_into, read

PARTS = st.sampled_from(["module", "_orig_mod", "model", "net", "backbone", "0", "encoder", "weights"])


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3))
    )


STATE = {
    name: torch.full_like(tensor, number)
    for number, (name, tensor) in enumerate(network().state_dict().items())
}
OTHER = {name: tensor + 100 for name, tensor in STATE.items()}


def under(prefix: str, state: dict[str, torch.Tensor] = STATE) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


def within(part: str, wrapper: str, state: dict[str, torch.Tensor] = STATE) -> dict[str, torch.Tensor]:
    return {
        name.replace(part, f"{part}{wrapper}", 1) if name.startswith(part) else name: tensor
        for name, tensor in state.items()
    }


def loaded(content: Any, folder: Path) -> list[str]:
    """What is left out of a file with this content, the rest of which must be the network's weights."""
    torch.save(content, folder / "w.pt")
    module = network()
    left_out = put_into(module, read(folder / "w.pt"), source="w.pt")
    assert all(torch.equal(tensor, STATE[name]) for name, tensor in module.state_dict().items())
    return left_out


@settings(deadline=None, max_examples=50)
@given(
    before=st.lists(PARTS, max_size=4), inside=st.lists(PARTS.filter(lambda part: part != "0"), max_size=2)
)
def test_whatever_is_written_before_or_inside_names_the_network_is_found(
    before: list[str], inside: list[str]
) -> None:
    wrapper, prefix = "".join(f"{part}." for part in inside), "".join(f"{part}." for part in before)
    state = under(prefix, within("2.", wrapper))
    (found,) = places_of(STATE, {**state, "loss.weight": torch.ones(3)})
    assert {name: state[there] for name, there in found.names.items()} == STATE


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": under("module._orig_mod."), "epoch": 3},
        {"model_state_dict": STATE, "lr": 0.1},
        under("net.backbone."),
        under("_orig_mod.", within("2.", "module.", within("1.", "_checkpoint_wrapped_module."))),
    ],
    ids=["compiled and parallel", "in a map of another name", "nested", "parts wrapped too"],
)
def test_files_with_nothing_else_are_loaded_whole(content: Any, tmp_path: Path) -> None:
    assert loaded(content, tmp_path) == []


def test_what_stands_beside_the_network_is_left_out_and_named(tmp_path: Path) -> None:
    content = {
        "state_dict": {**under("model."), "loss.weight": torch.ones(3)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(4), "exp_avg_sq": torch.ones(4)}}}],
    }
    left_out = loaded(content, tmp_path)
    assert in_groups(left_out) == "state_dict.loss.weight, optimizer_states.0 (2 tensors)"


def test_a_network_that_is_wrapped_itself_is_found_too(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "w.pt")
    wrapped = nn.ModuleDict({"net": network()})
    assert put_into(wrapped, read(tmp_path / "w.pt"), source="w.pt") == []
    assert torch.equal(wrapped.state_dict()["net.2.2.bias"], STATE["2.2.bias"])


@pytest.mark.parametrize(
    "content",
    [
        {**under("model."), **under("ema.", OTHER)},
        {**STATE, **under("ema.", OTHER)},
        {"model": STATE, "model_ema": OTHER},
        {"models": [STATE, OTHER]},
    ],
    ids=["prefixes", "one without", "two maps", "a list"],
)
def test_two_networks_that_fit_are_refused(content: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds several networks that fit; their names begin with"):
        loaded(content, tmp_path)


def test_two_copies_of_the_same_weights_are_one(tmp_path: Path) -> None:
    assert len(loaded({"model": STATE, "model_ema": STATE}, tmp_path)) == len(STATE)


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ({name: tensor for name, tensor in STATE.items() if name != "2.2.bias"}, "2.2.bias missing"),
        ({**STATE, "9.weight": torch.ones(2)}, "9.weight unknown to the network"),
        ({**STATE, "2.2.bias": torch.ones(7)}, "2.2.bias is 7 instead of 3"),
    ],
)
def test_misfits_under_a_prefix_are_said_with_the_prefix(
    state: dict[str, torch.Tensor], what: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"names that begin with the prefix 'model\.': .*{what}"):
        loaded(under("model.", state), tmp_path)


def test_a_network_is_not_put_together_from_places_that_have_nothing_in_common(tmp_path: Path) -> None:
    apart = {f"{'encoder' if name[0] < '2' else 'head'}.{name}": tensor for name, tensor in STATE.items()}
    with pytest.raises(DataError, match="missing"):
        loaded(apart, tmp_path)


def test_versions_of_modules_are_found_under_a_prefix_too(tmp_path: Path) -> None:
    class Renamed(nn.Linear):
        """Its weight was called `old` in its first version."""

        _version = 2

        def _load_from_state_dict(self, state: Any, prefix: str, metadata: Any, *rest: Any) -> None:
            if metadata.get("version", 1) < 2:
                state[f"{prefix}weight"] = state.pop(f"{prefix}old")
            super()._load_from_state_dict(state, prefix, metadata, *rest)

    module = nn.Sequential(Renamed(2, 2), nn.Linear(2, 2))
    state = {f"model.{name}": tensor for name, tensor in module.state_dict().items()}
    state["model.0.old"] = state.pop("model.0.weight") + 1
    expected = state["model.0.old"].clone()
    torch.save(state, tmp_path / "w.pt")
    assert (
        put_into(module, read_with_versions(tmp_path / "w.pt", {"model.0": {"version": 1}}), source="w") == []
    )
    assert torch.equal(module.state_dict()["0.weight"], expected)


def read_with_versions(path: Path, versions: dict[str, Any]) -> dict[str, torch.Tensor]:
    state = read(path)
    state._metadata = versions  # type: ignore[attr-defined]
    return state
