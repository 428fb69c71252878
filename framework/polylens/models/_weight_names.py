"""Which tensor of a file is which of a network's, whatever was written before and between their names.

Compiling, data-parallel training and training frameworks wrap a network, or parts of it, in modules of their
own, and files of weights then have longer names, such as `module._orig_mod.layer1.weight` or
`features.module.0.weight`. Files hold other things besides: an optimiser, a loss, a second network. So the
tree of names of the network is looked for in the file's; what is found must be the whole of it, found once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

_COUNTER = "num_batches_tracked"
"""Counters of batch norms, which older files lack and PyTorch fills in."""

Tree = dict[str, "Tree | str"]
"""Names by their parts; a whole name at each leaf."""


@dataclass(frozen=True)
class Found:
    """The network's names in a file."""

    names: Mapping[str, str]
    """By the network's name of a tensor, the file's."""
    modules: Mapping[str, str]
    """By the network's path of a module, the file's."""
    root: str
    """What all of the file's names begin with, ending with a dot; empty where they begin at once."""


def is_needed(name: str) -> bool:
    """Whether a file must have this tensor of the network."""
    return name.rpartition(".")[2] != _COUNTER


def places_of(own: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> list[Found]:
    """Every place of a file at which the whole network lies, of those with the most of its names kept.

    A part of a name is passed over where it stands alone and the network has none like it there. Where the
    network is wrapped itself, names without its own first parts count too, if no others fit.

    Args:
        own: the network's tensors.
        state: the file's.

    >>> file = {"model.net.0.weight": torch.ones(2), "loss.weight": torch.ones(1)}
    >>> [found.root for found in places_of({"0.weight": torch.zeros(2)}, file)]
    ['model.net.']
    """
    tree: Tree = _tree(own)
    path = ""
    while True:
        found = _distinct(
            Found(names, modules, root)
            for root, node in _nodes(_tree(state))
            if (matched := _match(tree, node, path, root, own, state)) is not None
            for names, modules in [matched]
        )
        if found or len(tree) != 1 or not isinstance(inner := next(iter(tree.values())), dict):
            return found
        path, tree = f"{path}{next(iter(tree))}.", inner


def nearest_root(own: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> str:
    """The beginning of the file's names under which most of the network's lie; the shortest of such."""
    counts = dict.fromkeys((root for root, _ in _nodes(_tree(state))), 0)
    for root in counts:
        counts[root] = sum(root + name in state for name in own)
    most = max(counts.values(), default=0)
    return min((root for root, count in counts.items() if count == most), key=len, default="")


def _tree(names: Mapping[str, torch.Tensor]) -> Tree:
    tree: Tree = {}
    for name in names:
        *path, last = name.split(".")
        node = tree
        for part in path:
            inner = node.setdefault(part, {})
            if isinstance(inner, str):  # a tensor and a module of one name: no network has both
                inner = node[part] = {}
            node = inner
        node.setdefault(last, name)
    return tree


def _nodes(tree: Tree, path: str = "") -> Iterator[tuple[str, Tree]]:
    yield path, tree
    for part, inner in tree.items():
        if isinstance(inner, dict):
            yield from _nodes(inner, f"{path}{part}.")


def _match(
    own: Tree,
    node: Tree,
    path: str,
    root: str,
    tensors: Mapping[str, torch.Tensor],
    state: Mapping[str, torch.Tensor],
) -> tuple[dict[str, str], dict[str, str]] | None:
    """Names and modules of the network below `path`, found below `root` of the file; None where any lacks."""
    lacking = [part for part, inner in own.items() if part not in node and _has_needed(inner)]
    if lacking:
        alone = next(iter(node.items()))
        if len(node) != 1 or alone[0] in own or isinstance(alone[1], str):
            return None
        return _match(own, alone[1], path, f"{root}{alone[0]}.", tensors, state)
    names: dict[str, str] = {}
    modules = {path.removesuffix("."): root.removesuffix(".")}
    for part, inner in own.items():
        there = node.get(part)
        if there is None:
            continue
        if isinstance(inner, str):
            if not isinstance(there, str) or tensors[inner].shape != state[there].shape:
                return None
            names[inner] = there
            continue
        found = (
            None
            if isinstance(there, str)
            else _match(inner, there, f"{path}{part}.", f"{root}{part}.", tensors, state)
        )
        if found is None:
            return None
        names |= found[0]
        modules |= found[1]
    return names, modules


def _has_needed(inner: Tree | str) -> bool:
    return is_needed(inner) if isinstance(inner, str) else any(map(_has_needed, inner.values()))


def _distinct(found: Iterator[Found]) -> list[Found]:
    """Each way to read the file once, with the longest beginning that all of its names have."""
    ways: dict[frozenset[tuple[str, str]], Found] = {}
    for one in found:
        ways[frozenset(one.names.items())] = one
    return list(ways.values())
