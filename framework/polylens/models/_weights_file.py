"""Files of weights: read without running code in them, and put into a network with every misfit named."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from polylens.digests import file_sha256
from polylens.errors import DataError
from polylens.models._weight_names import Found, is_needed, nearest_root, places_of

_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
"""Heads of GoogLeNet and Inception that are only used in training."""
_SHOWN = 3
_SAVE_ALONE = "save the state_dict() of the network that is meant to a file of its own"


def sha256(path: Path) -> str:
    """The sha256 of a file of weights.

    Raises:
        DataError: there is no such file.
    """
    _must_exist(path)
    return file_sha256(path)


def read(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor in a `.safetensors` file, or in a PyTorch file that holds nothing but data, by its name.

    Tensors in maps and lists have the names of these before their own, such as `state_dict.layer1.weight`.

    Raises:
        DataError: there is no such file, it is damaged, or it holds no tensors.
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
    state: OrderedDict[str, torch.Tensor] = OrderedDict()
    versions: dict[str, Any] = {}
    for name, tensor in _tensors(content, "", versions):
        if name in state:
            raise DataError(f"{path} holds two tensors named '{name}'", hint=_SAVE_ALONE)
        state[name] = tensor
    if not state:
        raise DataError(f"{path} holds no state dict", hint="save the network's state_dict()")
    if versions:
        state._metadata = versions  # type: ignore[attr-defined]
    return state


def put_into(module: torch.nn.Module, state: dict[str, torch.Tensor], *, source: str) -> list[str]:
    """Puts a file's tensors into a network in place, wherever in the file's names the network's lie.

    Auxiliary heads that the network lacks are passed over.

    Args:
        module: gets the weights.
        state: names and tensors; may carry the versions that `torch.save` keeps of old modules.
        source: where the weights come from, for messages.

    Returns:
        Names of the tensors that are none of the network's, such as an optimiser's.

    Raises:
        DataError: tensors are missing or of another shape, there are unknown ones among the network's, or the
            file holds several networks that fit; names the first few.
    """
    own = module.state_dict()
    places = places_of(own, state)
    if len(places) > 1 and not _same(places, state):
        roots = ", ".join(f"'{place.root}'" for place in places[:_SHOWN])
        raise DataError(
            f"{source} holds several networks that fit; their names begin with {roots}", hint=_SAVE_ALONE
        )
    if places:
        root, names, modules = places[0].root, places[0].names, places[0].modules
    else:
        # Names may have changed since the file was written, which the network's own modules know.
        root = nearest_root(own, state)
        names = {name.removeprefix(root): name for name in state if name.startswith(root)}
        modules = {path: (root + path).removesuffix(".") for path, _ in module.named_modules()}
    taken = set(names.values())
    others = [name for name in state if name not in taken]
    among = [name for name in others if name.startswith(root) and not _is_auxiliary(name.removeprefix(root))]
    renamed = {name: state[there] for name, there in names.items() if name in own or not _is_auxiliary(name)}
    problems = [f"{_list_names(among)} unknown to the network"] if among else []
    problems += _load(module, renamed, versions=_versions(state, modules))
    if problems:
        where = f" at its names that begin with the prefix '{root}'" if root else ""
        raise DataError(
            f"{source} does not fit the network{where}: {'; '.join(problems)}",
            hint="check the network's name and number of classes against those the weights were saved from",
        )
    return [name for name in others if not name.startswith(root)]


def in_groups(names: Sequence[str]) -> str:
    """Names of tensors for people, by what they begin with: `loss.weight, optimizer.state (84 tensors)`."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(".".join(name.split(".")[:2]), []).append(name)
    return ", ".join(
        found[0] if len(found) == 1 else f"{group} ({len(found)} tensors)" for group, found in groups.items()
    )


def _load(
    module: torch.nn.Module, state: Mapping[str, torch.Tensor], *, versions: Mapping[str, Any] | None
) -> list[str]:
    """What did not fit when the tensors were put into the network; nothing where all did."""
    own = module.state_dict()
    shapes = [name for name in own if name in state and state[name].shape != own[name].shape]
    fitting = module.state_dict()  # marked as saved by today's modules: safetensors keeps no versions
    fitting.clear()
    fitting.update({name: tensor for name, tensor in state.items() if name not in shapes})
    if versions is not None:
        fitting._metadata = versions  # type: ignore[attr-defined]
    report = module.load_state_dict(fitting, strict=False)
    missing = [name for name in report.missing_keys if is_needed(name) and name not in shapes]
    return [
        f"{_list_names(found)} {what}".strip()
        for found, what in (
            (missing, "missing"),
            (report.unexpected_keys, "unknown to the network"),
            ([f"{name} is {_shape(state[name])} instead of {_shape(own[name])}" for name in shapes], ""),
        )
        if found
    ]


def _versions(state: Mapping[str, torch.Tensor], modules: Mapping[str, str]) -> dict[str, Any] | None:
    """The versions of modules that the file keeps, by the network's own paths; None where it keeps none."""
    kept = getattr(state, "_metadata", None)
    return None if kept is None else {path: kept[there] for path, there in modules.items() if there in kept}


def _same(places: Sequence[Found], state: Mapping[str, torch.Tensor]) -> bool:
    """Whether the same tensors lie at every place."""
    first, *others = places
    return all(
        name in other.names and torch.equal(state[there], state[other.names[name]])
        for other in others
        for name, there in first.names.items()
    )


def _is_auxiliary(name: str) -> bool:
    return name.startswith(_AUXILIARY)


def _tensors(content: Any, path: str, versions: dict[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor in nested maps and lists, with its name; notes what versions are kept of modules."""
    if isinstance(content, torch.Tensor):
        yield path.removesuffix("."), content
    elif isinstance(content, Mapping):
        for module, version in getattr(content, "_metadata", {}).items():
            versions[(path + module).removesuffix(".")] = version
        for key, item in content.items():
            yield from _tensors(item, f"{path}{key}.", versions)
    elif isinstance(content, list | tuple):
        for number, item in enumerate(content):
            yield from _tensors(item, f"{path}{number}.", versions)


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        state: dict[str, torch.Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} cannot be read as weights: {_first_line(error)}") from None
    return state


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise DataError(
            f"there is no file of weights at {path}", hint="paths are relative to the project's folder"
        )


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _shape(tensor: torch.Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def _first_line(error: Any) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
