"""Tensors that a module computes from others (weight norm, spectral norm, pruning), made plain and back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

_POWER_ITERATIONS = 15
"""Power iterations that PyTorch makes when it registers a spectral norm."""
_OLDER = (WeightNorm, SpectralNorm, prune.BasePruningMethod)


@dataclass(frozen=True)
class Computed:
    """What of one part was made plain."""

    part: nn.Module
    put_back: Callable[[], None]
    """Takes the plain tensors away again and sets what they are computed from, as registering the
    parametrisation on a part with these numbers does."""


def make_plain(module: nn.Module) -> list[Computed]:
    """Replaces, in place, every tensor that parts compute from others by a plain parameter of its value.

    PyTorch's parametrisations, and the older hooks of weight norm, spectral norm and pruning. What the module
    computes stays as it is; what such tensors were computed from is among its parameters no more.

    Args:
        module: in eval mode, so that no norm goes on with its power iterations. Other modules of its classes
            are not touched.
    """
    computed: list[Computed] = []
    for part in list(module.modules()):
        if parametrize.is_parametrized(part):
            computed.append(_without_parametrisations(part))
        if any(isinstance(hook, _OLDER) for hook in part._forward_pre_hooks.values()):
            computed.append(_without_hooks(part))
    return computed


def _without_parametrisations(part: nn.Module) -> Computed:
    of: Any = part.parametrizations
    kind: Any = type(part)
    with torch.no_grad():
        values = {name: getattr(part, name).detach().clone() for name in of}
    # Not `remove_parametrizations`: it takes the property off the class, which copies share.
    del part._modules["parametrizations"]
    part.__class__ = kind.__bases__[0]
    for name, value in values.items():
        learnt = any(True for _ in of[name].parameters(recurse=False))
        if learnt:
            part.register_parameter(name, nn.Parameter(value, requires_grad=value.is_floating_point()))
        else:
            part.register_buffer(name, value)

    def put_back() -> None:
        new = {name: _release(part, name) for name in values}
        part.__class__ = kind
        part._modules["parametrizations"] = of
        with torch.no_grad():
            for name, value in new.items():
                _set_originals(of[name], value)

    return Computed(part, put_back)


def _set_originals(chain: Any, value: torch.Tensor) -> None:
    """Sets what a list of parametrisations starts from, as PyTorch does where it registers them."""
    turned: Any = value
    for step in reversed(chain):
        if hasattr(step, "right_inverse"):
            try:
                turned = step.right_inverse(turned)
            except NotImplementedError:  # PyTorch then takes it for the identity, and so it is here
                continue
    originals = (
        [chain.original]
        if chain.is_tensor
        else [getattr(chain, f"original{i}") for i in range(chain.ntensors)]
    )
    for original, numbers in zip(originals, [turned] if chain.is_tensor else turned, strict=True):
        original.copy_(numbers)
    current: Any = originals
    for step in chain:
        if isinstance(step, _SpectralNorm) and current[0].ndim > 1:
            matrix = step._reshape_weight_to_matrix(current[0])
            step._u = nn.functional.normalize(torch.randn_like(step._u), dim=0, eps=step.eps)
            step._v = nn.functional.normalize(torch.randn_like(step._v), dim=0, eps=step.eps)
            step._power_method(matrix, _POWER_ITERATIONS)
        current = [step(*current)]


def _without_hooks(part: nn.Module) -> Computed:
    before = OrderedDict(part._forward_pre_hooks)
    sources: dict[str, tuple[Any, dict[str, nn.Parameter], dict[str, torch.Tensor | None]]] = {}
    for key, hook in before.items():
        if not isinstance(hook, _OLDER):
            continue
        name = hook._tensor_name if isinstance(hook, prune.BasePruningMethod) else hook.name
        with torch.no_grad():
            value = _value(hook, part).detach().clone()
        taken = {
            end: part._parameters.pop(name + end)
            for end in ("_g", "_v", "_orig")
            if name + end in part._parameters
        }
        buffers = {
            end: part._buffers.pop(name + end) for end in ("_u", "_v", "_mask") if name + end in part._buffers
        }
        sources[name] = (hook, taken, buffers)  # type: ignore[assignment]
        del part._forward_pre_hooks[key]
        vars(part).pop(name, None)
        part.register_parameter(name, nn.Parameter(value))

    def put_back() -> None:
        with torch.no_grad():
            for name, (hook, taken, buffers) in sources.items():
                value = _release(part, name)
                part._parameters.update({name + end: parameter for end, parameter in taken.items()})
                part._buffers.update({name + end: buffer for end, buffer in buffers.items()})
                _set_sources(hook, part, name, value)
        part._forward_pre_hooks = before

    return Computed(part, put_back)


def _value(hook: Any, part: nn.Module) -> torch.Tensor:
    """The tensor that an older hook computes."""
    if isinstance(hook, SpectralNorm):
        return hook.compute_weight(part, do_power_iteration=False)
    compute: Any = hook.apply_mask if isinstance(hook, prune.BasePruningMethod) else hook.compute_weight
    weight: torch.Tensor = compute(part)
    return weight


def _set_sources(hook: Any, part: Any, name: str, value: torch.Tensor) -> None:
    if isinstance(hook, WeightNorm):
        getattr(part, f"{name}_g").copy_(torch.norm_except_dim(value, 2, hook.dim))
        getattr(part, f"{name}_v").copy_(value)
    else:
        getattr(part, f"{name}_orig").copy_(value)
    if isinstance(hook, SpectralNorm):
        for end in ("_u", "_v"):
            vector = getattr(part, name + end)
            vector.copy_(nn.functional.normalize(torch.randn_like(vector), dim=0, eps=hook.eps))
        for _ in range(_POWER_ITERATIONS):
            hook.compute_weight(part, do_power_iteration=True)
    setattr(part, name, _value(hook, part).detach())


def _release(part: nn.Module, name: str) -> torch.Tensor:
    """The plain tensor's value, which is then no longer the part's."""
    value: torch.Tensor = getattr(part, name)
    delattr(part, name)
    return value.detach()
