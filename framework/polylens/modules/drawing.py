"""Weights drawn anew in a module that only says itself how its parts start."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import nn

from polylens.errors import UsageError, listed
from polylens.modules.copying import copy_module, unregistered_tensors
from polylens.modules.parametrised import make_plain
from polylens.modules.randomness import with_seed

_RESETS = ("reset_parameters", "_reset_parameters", "init_weights", "initialize_weights")
"""Methods without arguments by which a part draws what is its own, in PyTorch's words and in common ones."""
_RESETS_OF = ("_init_weights", "init_weights", "_initialize_weights")
"""Methods that take a module and draw what is that module's own; for `Module.apply`."""
_MOST_CONSTANT = 2
"""Different numbers of a tensor that stands for no learnt one: zeros, ones, the identity."""


def draw_anew(module: nn.Module, *, seed: int) -> nn.Module:
    """A copy of the module in eval mode whose parameters are all drawn anew, so that nothing learnt is left.

    Each part is reset by its own method, parts before what holds them, as they were when the module was made.
    Tensors that are computed from others (weight norm, spectral norm) are drawn as the plain tensor and put
    into their parametrisation as PyTorch does where it registers one.

    That nothing is left is shown, not hoped for: the module and a copy with other numbers in its parameters
    are reset with the same randomness, and every parameter must come out the same in both. One that does not
    is what it was before, or made of it.

    Args:
        module: any; it is not touched.
        seed: all randomness follows from it; PyTorch's, NumPy's and Python's global streams stay as they are.

    Raises:
        UsageError: some tensor kept its numbers; says which.
    """
    drawn, failures = _reset(module, seed=seed)
    kept = {
        **_restored_parameters(drawn, other=_reset(module, seed=seed + 1)[0], given=module),
        **_kept_parameters(drawn, other=_reset(module, seed=seed, disturbed=True)[0]),
        **_kept_buffers(drawn, given=module),
        **dict.fromkeys(unregistered_tensors(module), "no registered parameter"),
    }
    if kept:
        named = [f"{name} ({why})" for name, why in kept.items()]
        said = f"; {failures[0]}" if failures else ""
        raise UsageError(
            f"the weights cannot be drawn anew: {listed(named, most=6)} would stay as they were given{said}",
            hint="leave 'random_init' out, or give the class that holds them a method reset_parameters() "
            "that draws them all (what is never learnt can be a buffer with persistent=False)",
        )
    return drawn


def _reset(module: nn.Module, *, seed: int, disturbed: bool = False) -> tuple[nn.Module, list[str]]:
    """A copy that is reset, from other numbers where `disturbed`; and what its resets complained of."""
    made = copy_module(module).eval()
    failures: list[str] = []
    if disturbed:
        with torch.no_grad():
            for parameter in made.parameters():
                if parameter.is_floating_point() or parameter.is_complex():
                    parameter.mul_(-0.5).add_(0.3)
    with torch.no_grad(), with_seed(seed):
        computed = make_plain(made)
        before = {id(part) for part in made.modules()}
        for part in _inner_first(made):
            failures += _reset_part(part)
        for item in computed:
            item.put_back()
        for part in _inner_first(made):
            if id(part) not in before:  # parts of parametrisations, with parameters of their own
                failures += _reset_part(part)
    return made.eval(), failures


def _inner_first(module: nn.Module) -> Iterator[nn.Module]:
    """Every part once, after all that it holds: what holds others has the last word on them."""
    seen: set[int] = set()

    def visit(part: nn.Module) -> Iterator[nn.Module]:
        seen.add(id(part))
        for inner in part.children():
            if id(inner) not in seen:
                yield from visit(inner)
        yield part

    yield from visit(module)


def _reset_part(part: nn.Module) -> list[str]:
    """Calls what the part has to reset itself; gives what went wrong."""
    for holder in (part, *part.parameters(recurse=False)):
        if getattr(holder, "_is_hf_initialized", False):
            vars(holder)["_is_hf_initialized"] = False  # transformers would pass over what it has loaded
    for name in _RESETS:
        method = getattr(part, name, None)
        if callable(method) and _takes(method, 0):
            return _try_reset(part, name, method)
    for name in _RESETS_OF:
        method = getattr(part, name, None)
        if callable(method) and _takes(method, 1):
            return _try_reset(part, name, partial(part.apply, method))
    return []


def _try_reset(part: nn.Module, name: str, method: Callable[[], object]) -> list[str]:
    try:
        method()
    except Exception as error:  # whatever the reset does, the parameters that it left are found
        return [f"{type(part).__name__}.{name}() failed: {type(error).__name__}: {error}"]
    return []


def _takes(method: Callable[..., object], count: int) -> bool:
    """Whether a method can be called with so many arguments and no more are needed."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [
        item
        for item in parameters
        if item.default is item.empty and item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)
    ]
    return len(needed) == count and not any(item.kind is item.KEYWORD_ONLY for item in needed)


def _kept_parameters(drawn: nn.Module, *, other: nn.Module) -> dict[str, str]:
    """Parameters that depend on what was there before."""
    others = dict(other.named_parameters())
    kept = {}
    for name, parameter in drawn.named_parameters():
        if not (parameter.is_floating_point() or parameter.is_complex()):
            kept[name] = f"a parameter of {parameter.dtype}, which nothing draws"
        elif name not in others or not _equal(parameter, others[name]):
            kept[name] = "no reset draws it"
    return kept


def _restored_parameters(drawn: nn.Module, *, other: nn.Module, given: nn.Module) -> dict[str, str]:
    """Parameters that a reset brings back to the given numbers, as one does that reads a file of weights.

    Also says so where no parameter at all is random, and the network would be its own control.
    """
    others, before = dict(other.named_parameters()), dict(given.named_parameters())
    same = [
        name for name, value in drawn.named_parameters() if name in others and _equal(value, others[name])
    ]
    if len(same) == len(list(drawn.parameters())):
        return dict.fromkeys(same or ["the module"], "nothing in it is random")
    return {
        name: "its reset gives back the given numbers"
        for name in same
        if name in before
        and before[name].requires_grad
        and _equal(dict(drawn.named_parameters())[name], before[name])
        and _n_different(before[name]) > _MOST_CONSTANT
    }


def _kept_buffers(drawn: nn.Module, *, given: nn.Module) -> dict[str, str]:
    """Buffers of the state dict that hold several numbers, which may be learnt, and that no reset set."""
    buffers = dict(drawn.named_buffers())
    kept = {}
    for name, value in given.state_dict().items():
        if not isinstance(value, torch.Tensor):
            continue
        if value.is_quantized:
            kept[name] = "quantised, which nothing draws"
        elif (
            name in buffers
            and (value.is_floating_point() or value.is_complex())
            and _equal(value, buffers[name])
            and _n_different(value) > 1
        ):
            kept[name] = "a buffer that no reset sets"
    return kept


def _n_different(value: torch.Tensor) -> int:
    """How many different numbers a tensor holds."""
    real = torch.view_as_real(value.detach().resolve_conj()) if value.is_complex() else value.detach()
    return len(torch.unique(real))


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors hold the same numbers; nan is the same as nan."""
    if one.shape != other.shape:
        return False
    return torch.equal(one, other) or torch.equal(one.nan_to_num(nan=0.5), other.nan_to_num(nan=0.5))
