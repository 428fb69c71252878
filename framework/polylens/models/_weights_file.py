"""Files of weights: read without running code in them, and put into a network with every misfit named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from polylens.digests import file_sha256
from polylens.errors import DataError

_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
"""Heads of GoogLeNet and Inception that are only used in training."""
_SHOWN = 3


def sha256(path: Path) -> str:
    """The sha256 of a file of weights.

    Raises:
        DataError: there is no such file.
    """
    _must_exist(path)
    return file_sha256(path)


def read(path: Path) -> dict[str, torch.Tensor]:
    """The state dict in a `.safetensors` file, or in a PyTorch file that holds nothing but data.

    A dict under `state_dict` or `model` is unpacked, and the `module.` that data-parallel training writes
    before each name is taken away.

    Raises:
        DataError: there is no such file, it is damaged, or it holds something else.
    """
    _must_exist(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise DataError(
            f"{path} cannot be read as weights: {_first_line(error)}",
            hint="save the network's state_dict() with torch.save or safetensors; code is not opened",
        ) from None
    for key in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(item, torch.Tensor) for item in content.values()):
        raise DataError(f"{path} holds no state dict", hint="save the network's state_dict()")
    return _without_prefix(content)


def put_into(module: torch.nn.Module, state: dict[str, torch.Tensor], *, source: str) -> None:
    """Puts a state dict into a network in place, without weights of auxiliary heads that the network lacks.

    Args:
        module: gets the weights.
        state: names and tensors; may carry the versions that `torch.save` keeps of old modules.
        source: where the weights come from, for messages.

    Raises:
        DataError: names or shapes differ; names the first few of each kind.
    """
    own = module.state_dict()
    for name in list(state):
        if name.startswith(_AUXILIARY) and name not in own:
            del state[name]
    if not hasattr(state, "_metadata"):
        state = _of_this_version(state, module)
    shapes = [
        f"{name} is {_shape(state[name])} instead of {_shape(own[name])}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    # Older files lack these counters, which PyTorch itself fills in.
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in own]
    problems = [
        f"{_listed(found)} {what}"
        for found, what in ((missing, "missing"), (unexpected, "unknown to the network"), (shapes, ""))
        if found
    ]
    if problems:
        raise DataError(
            f"{source} does not fit the network: " + "; ".join(problem.strip() for problem in problems),
            hint="check the network's name and number of classes against those the weights were saved from",
        )
    module.load_state_dict(state, strict=False)


def _of_this_version(state: Mapping[str, torch.Tensor], module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The state dict, marked as saved by today's modules: safetensors keeps no versions, and some ask."""
    marked = module.state_dict()
    marked.clear()
    marked.update(state)
    return marked


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return _without_prefix(load_file(path))
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} cannot be read as weights: {_first_line(error)}") from None


def _without_prefix(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    if not state or not all(name.startswith("module.") for name in state):
        return state
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise DataError(
            f"there is no file of weights at {path}", hint="paths are relative to the project's folder"
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _shape(tensor: torch.Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def _first_line(error: Any) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
