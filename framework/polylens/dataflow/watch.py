"""Watching a forward pass: which module runs, which operation it calls, and what each module gives."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from polylens.dataflow.nonlinearities import Site
from polylens.dataflow.operations import canonical
from polylens.dataflow.regimes import is_site


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every aten operation of a forward pass, functional or in a module, and every module's output.

    Sites and calls are counted in the same way in every pass, so what one pass finds another finds again.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.stack: list[str] = [""]
        """Paths of the modules running, the innermost last."""
        self._sites: Counter[tuple[str, str]] = Counter()
        self._calls: Counter[str] = Counter()
        self._paused = False

    @abstractmethod
    def on_operation(
        self,
        function: torch._ops.OpOverload,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        site: Site | None,
    ) -> Any:
        """Runs one operation and gives its result. `site` is set where it may be a nonlinearity."""

    @abstractmethod
    def on_output(self, name: str, output: Any) -> None:
        """Is told what a part of the network gave, under its layer name."""

    def on_enter(self) -> None:
        """Is told that a part of the network starts."""

    @contextmanager
    def watching(self, module: torch.nn.Module) -> Iterator[None]:
        """Inside, everything `module` does is seen; afterwards the module is as it was, whatever happened."""
        handles = []
        try:
            for path, part in module.named_modules():
                if not path:
                    continue
                handles.append(part.register_forward_pre_hook(self._entering(path)))
                handles.append(part.register_forward_hook(self._leaving(path)))
            with self:
                yield
        finally:
            for handle in handles:
                handle.remove()

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if self._paused:
            return func(*args, **kwargs)
        if _is_composite(func):
            # Only inference mode lets these arrive whole; their parts are what is counted.
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        operation = canonical(func)
        site = None
        if is_site(operation):
            here = (self.stack[-1], operation)
            self._sites[here] += 1
            site = Site(*here, occurrence=self._sites[here])
        return self.on_operation(func, args, kwargs, site)

    def _entering(self, path: str) -> Callable[..., None]:
        def enter(module: torch.nn.Module, args: Any) -> None:
            self.stack.append(path)
            self.on_enter()

        return enter

    def _leaving(self, path: str) -> Callable[..., None]:
        def leave(module: torch.nn.Module, args: Any, output: Any) -> None:
            self._calls[path] += 1
            self._paused = True
            try:
                self.on_output(numbered(path, self._calls[path]), output)
            finally:
                self._paused = False
            self.stack.pop()

        return leave


def numbered(name: str, occurrence: int) -> str:
    """The name of a further call: `name#2` for the second.

    >>> numbered("layer1.0.relu", 1), numbered("layer1.0.relu", 2)
    ('layer1.0.relu', 'layer1.0.relu#2')
    """
    return name if occurrence == 1 else f"{name}#{occurrence}"


@cache
def _is_composite(function: torch._ops.OpOverload) -> bool:
    return bool(
        torch._C._dispatch_has_kernel_for_dispatch_key(str(function._name), "CompositeImplicitAutograd")
    )
