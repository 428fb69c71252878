"""A pretend accelerator: tensors of another device whose numbers are computed on the processor.

It is as strict about mixing devices as CUDA is: an operation on one of its tensors and one of the processor
is refused, but for numbers without axes and for indices; so is `.numpy()` without `.cpu()`. What would first
fail on a GPU then fails in a suite that has none. It says nothing about rounding, speed or streams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.utils import backend_registration
from torch.utils._pytree import tree_leaves, tree_map

NAME = "pretend"
IS_THERE = hasattr(backend_registration, "_setup_privateuseone_for_python_backend")
"""Whether this torch lets a device be written in Python; from 2.11 on."""
DEVICE = torch.device("cpu")
"""The device, once `register` has been called."""

is_present = False
"""Whether torch finds the device now: once known it cannot be forgotten, and other tests are to have none."""

operations: Counter[str] = Counter()
"""How often each operation has run on the device."""

_INDEXING = ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put")
_MOVING = ("to", "_to_copy", "copy_", "_copy_from", "_copy_from_and_resize")
_FACTORIES = ("arange", "arange.start", "arange.start_step", "eye", "eye.m", "linspace", "randperm.generator")
"""Operations that torch writes into an empty tensor whose size they change."""
_kept: list[torch.library.Library] = []


class Pretend(torch.Tensor):
    """A tensor of the device."""

    inner: torch.Tensor
    """Its numbers."""
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> Pretend:
        made: Pretend = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=DEVICE,
            requires_grad=inner.requires_grad,
        )
        made.inner = inner
        return made

    def __repr__(self, **_: Any) -> str:
        return f"Pretend({self.inner!r})"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(not issubclass(Pretend, kind) for kind in types if kind is not Pretend):
            return NotImplemented  # a kind of tensor that holds ours: it takes the operation apart
        named = dict(kwargs or {})
        name = function.overloadpacket.__name__
        operations[name] += 1
        tensors = [leaf for leaf in tree_leaves((args, named)) if isinstance(leaf, torch.Tensor)]
        _refuse_mixed(function, name, args, tensors)
        stays = isinstance(args[0], Pretend) if name == "copy_" else True
        if named.get("device") is not None:
            stays = torch.device(named["device"]).type == NAME
            named["device"] = "cpu"
        mine = [tensor for tensor in tensors if isinstance(tensor, Pretend)]
        given = {id(tensor.inner): tensor for tensor in mine}
        storages = {_storage(tensor.inner): tensor for tensor in mine}
        found = function(*tree_map(_inner, args), **tree_map(_inner, named))

        def outer(value: Any) -> Any:
            if not isinstance(value, torch.Tensor) or isinstance(value, Pretend):
                return value
            own = given.get(id(value))  # an operation in place gives what it was given
            if not stays:
                return value if own is None else value.clone()
            if own is not None:
                assert own.shape == value.shape, f"{function} changes a shape in place: give it its own way"
                return own
            made = Pretend(value)
            if (source := storages.get(_storage(value))) is not None:
                torch._functionalize_unsafe_set(made, source)  # a view shares its storage
            return made

        return tree_map(outer, found)


def register() -> None:
    """Makes the device known to torch, once a process; `torch.device("pretend")` works from there on."""
    global DEVICE
    if _kept:
        return
    backend_registration._setup_privateuseone_for_python_backend(
        NAME, backend_module=_Backend(), hook=_hook()
    )
    DEVICE = torch.device(NAME, 0)
    library = torch.library.Library("aten", "IMPL")
    library.impl("empty.memory_format", _empty, "PrivateUse1")
    library.impl("empty_strided", _empty_strided, "PrivateUse1")
    library.impl("_copy_from", _copy_from, "PrivateUse1")
    for name in _FACTORIES:
        library.impl(name, _factory(name), "PrivateUse1")
    _kept.append(library)


class _Backend:
    """What torch asks of `torch.pretend`. Random numbers are those of the processor."""

    def is_initialized(self) -> bool:
        return is_present

    def is_available(self) -> bool:
        return is_present

    def device_count(self) -> int:
        return int(is_present)

    def current_device(self) -> int:
        return 0

    def manual_seed_all(self, seed: int) -> None:
        pass

    def get_rng_state(self, index: int) -> torch.Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: torch.Tensor, index: int) -> None:
        torch.set_rng_state(state)

    def _is_in_bad_fork(self) -> bool:
        return False


def _hook() -> Any:
    class Hook(backend_registration._DummyPrivateUse1Hook):  # type: ignore[misc]
        def is_available(self) -> bool:
            return is_present

    return Hook()


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, Pretend) else value


def _storage(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _refuse_mixed(function: Any, name: str, args: Any, tensors: list[torch.Tensor]) -> None:
    if name in _MOVING:
        return
    if name in _INDEXING:
        if not isinstance(args[0], Pretend):
            raise RuntimeError("indices should be on the cpu, as the indexed tensor is")
        tensors = [value for value in args[2:3] if isinstance(value, torch.Tensor)]
    for tensor in tensors:
        if not isinstance(tensor, Pretend) and tensor.dim():
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but {function} got one of shape "
                f"{tuple(tensor.shape)} on the cpu and one on {DEVICE}"
            )


def _factory(name: str) -> Callable[..., torch.Tensor]:
    packet, _, overload = name.partition(".")
    function = getattr(getattr(torch.ops.aten, packet), overload or "default")

    def made(*args: Any, device: Any = None, pin_memory: Any = None, **named: Any) -> torch.Tensor:
        operations[packet] += 1
        return Pretend(function(*args, device="cpu", **named))

    return made


def _empty(
    size: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = None,
    memory_format: Any = None,
) -> torch.Tensor:
    return Pretend(torch.empty(size, dtype=dtype, memory_format=memory_format or torch.contiguous_format))


def _empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = None,
) -> torch.Tensor:
    return Pretend(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source: torch.Tensor, target: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    _inner(target).copy_(_inner(source))
    return target
