"""Values of any kind, told apart by all that they hold."""

from __future__ import annotations

import collections
import functools
import random
import types
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import nn

from polylens.modules.code import add_class, add_function, is_library

_MOST = 50_000
"""Values that are looked into; of more, which hang on some large object by chance, only the type counts."""
_DEEPEST = 40
_OPAQUE = frozenset(
    {
        *(
            "logging",
            "threading",
            "_thread",
            "weakref",
            "multiprocessing",
            "concurrent",
            "asyncio",
            "subprocess",
        ),
        *("lightning", "pytorch_lightning", "lightning_fabric", "mlflow", "wandb", "tensorboard"),
    }
)
"""Packages whose objects keep records of runs or hold on to the process; no number comes from them."""
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range, slice)
_OF_TORCH = (torch.dtype, torch.device, torch.Size, torch.layout, torch.memory_format)


class Values:
    """Adds values to a digest, each object once: a second time only as the one that it is.

    Args:
        total: what `hashlib` gives; everything is added to it.
        inner: adds a module that is met as a value.
    """

    def __init__(self, total: Any, *, inner: Callable[[nn.Module, Values], None]) -> None:
        self._total = total
        self._inner = inner
        self._known: dict[int, int] = {}
        self._alive: list[Any] = []
        self._depth = 0

    def say(self, words: str) -> None:
        """Adds words, with their length, so that no two series of words are one."""
        said = words.encode(errors="surrogatepass")
        self._total.update(f"{len(said)}:".encode() + said)

    def keep(self, value: Any) -> bool:
        """Remembers an object; whether it is new. It is held, so that no other gets its id."""
        if id(value) in self._known:
            return False
        self._known[id(value)] = len(self._known)
        self._alive.append(value)
        return True

    def add(self, value: Any) -> None:
        """Adds one value with all that it holds."""
        if isinstance(value, (*_PLAIN, *_OF_TORCH)):
            self.say(f"{type(value).__name__} {value!r}")
            return
        if not self.keep(value):
            self.say(f"again {self._known[id(value)]}")
            return
        self.say(f"{type(value).__module__}.{type(value).__qualname__}")
        if len(self._known) > _MOST or self._depth > _DEEPEST:
            return
        self._depth += 1
        try:
            self._add_object(value)
        finally:
            self._depth -= 1

    def add_tensor(self, tensor: torch.Tensor, *, numbers: bool = True) -> None:
        """Adds a tensor: its type and shape and, with `numbers`, every byte."""
        self.say(f"{tensor.dtype} {tuple(tensor.shape)} {tensor.layout}")
        if not numbers or tensor.is_meta:
            return
        plain = tensor.detach()
        if plain.is_quantized:
            self.say(f"{plain.qscheme()}")
            plain = plain.dequantize()
        if plain.layout is not torch.strided:
            plain = plain.to_dense()
        plain = plain.resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
        self._total.update(plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b"")

    def _add_object(self, value: Any) -> None:
        if isinstance(value, torch.Tensor):
            self.add_tensor(value)
        elif isinstance(value, nn.Module):
            self._inner(value, self)
        elif isinstance(value, np.ndarray | np.generic):
            self._add_array(np.asarray(value))
        elif isinstance(value, torch.Generator):
            self.add_tensor(value.get_state())
        elif isinstance(value, (list, tuple, collections.deque)):
            self._add_all(value)
        elif isinstance(value, Mapping):
            self._add_all(item for pair in list(value.items()) for item in pair)
        elif isinstance(value, (set, frozenset)):
            self._add_all(sorted(value, key=lambda item: (type(item).__qualname__, repr(item))))
        elif isinstance(value, Enum):
            self.say(value.name)
        elif isinstance(value, PurePath):
            self.say(str(value))
        elif isinstance(value, type):
            add_class(value, self)
        else:
            self._add_callable_or_instance(value)

    def _add_callable_or_instance(self, value: Any) -> None:
        if isinstance(value, types.FunctionType):
            add_function(value, self)
        elif isinstance(value, types.MethodType):
            self.add(value.__func__)
            self.add(value.__self__)
        elif isinstance(value, functools.partial):
            self._add_all([value.func, value.args, value.keywords])
        elif isinstance(value, property):
            self._add_all([value.fget, value.fset])
        elif isinstance(value, staticmethod | classmethod):
            self.add(value.__func__)
        elif isinstance(value, functools.cached_property):
            self.add(value.func)
        elif isinstance(value, types.ModuleType):
            self.say(value.__name__)
        elif isinstance(
            value, types.BuiltinFunctionType | types.MethodDescriptorType | types.WrapperDescriptorType
        ):
            self.say(value.__qualname__)
        else:
            self._add_instance(value)

    def _add_instance(self, value: Any) -> None:
        if type(value).__module__.partition(".")[0] in _OPAQUE:
            return
        if isinstance(value, random.Random):
            self.add(value.getstate())
        if isinstance(value, np.random.Generator):
            self.add(value.bit_generator.state)
        if isinstance(value, np.random.RandomState):
            self.add(value.get_state())
        if not is_library(type(value)):
            self.add(type(value))
        held = dict(getattr(value, "__dict__", {}))
        for kind in type(value).__mro__:
            slots = vars(kind).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                    held[name] = getattr(value, name)
        for name, item in held.items():
            self.say(name)
            self.add(item)

    def _add_array(self, array: np.ndarray) -> None:
        self.say(f"{array.dtype} {array.shape}")
        if array.dtype.hasobject:
            self._add_all(array.reshape(-1).tolist())
        else:
            self._total.update(np.ascontiguousarray(array).tobytes())

    def _add_all(self, values: Iterable[Any]) -> None:
        items = list(values)
        self.say(f"{len(items)} values")
        for item in items:
            self.add(item)
