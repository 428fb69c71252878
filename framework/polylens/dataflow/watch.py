"""Watching a forward pass: which module runs, which operation it calls, and what each module gives.

1. Hooks on every module keep a stack of the modules that run, and count their calls.
2. A dispatch mode sees every aten operation below modules and autograd, or those of chosen modules alone. One
   that is made of others is taken apart first, so that the same operations are counted in every mode of
   PyTorch.
3. A call that may be a nonlinearity gets a site: the module that runs, the operation, and how often both
   met.
4. A module that is one elementwise function as a whole (`composite`) is one call, and what it does inside
   is not seen.

Invariants: two passes of one network count alike, so that a site means one nonlinearity in all of them;
hooks are taken off again whatever happens.

Cost: 50 microseconds of Python for each operation that is seen, 20 for each module.
Source: decision 0002.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from threading import local
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from polylens.dataflow.composite import composite
from polylens.dataflow.nonlinearities import Site
from polylens.dataflow.operations import canonical
from polylens.dataflow.regimes import is_site


class _Running(local):
    """The watches of this thread that see a forward pass, the innermost last."""

    def __init__(self) -> None:
        self.watches: list[Watch] = []


_running = _Running()


@contextmanager
def pause_watches() -> Iterator[None]:
    """Inside, nothing is seen by those who watch: for checks of inputs that are no part of a network."""
    before = [(watch, watch._paused) for watch in _running.watches]
    for watch, _ in before:
        watch._paused = True
    try:
        yield
    finally:
        for watch, paused in before:
            watch._paused = paused


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
        self._chosen_running = 0

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

    def before_composite(self, site: Site, source: torch.Tensor) -> None:
        """Is told that a module which is one elementwise operation as a whole starts on `source`."""

    def after_composite(self, site: Site, source: torch.Tensor, output: torch.Tensor) -> None:
        """Is told what that module gave."""

    @contextmanager
    def watch(self, module: torch.nn.Module, *, within: Collection[str] | None = None) -> Iterator[None]:
        """Inside, what `module` does is seen; afterwards the module is as it was, whatever happened.

        Args:
            module: the network.
            within: paths of the modules whose operations are asked for, the network's own being empty; all
                operations where None. What runs outside of them is not seen and costs nothing, and what is
                seen counts as it would if everything were.
        """
        handles = []
        sees_all = within is None or "" in within
        chosen = frozenset(() if sees_all else within or ())
        try:
            for path, part in module.named_modules():
                if not path:
                    continue
                handles.append(part.register_forward_pre_hook(self._on_entry(path, is_chosen=path in chosen)))
                if (operation := composite(part)) is not None:
                    handles += self._hooks_of_composite(part, path, operation)
                handles.append(part.register_forward_hook(self._on_exit(path, is_chosen=path in chosen)))
            _running.watches.append(self)
            with self if sees_all else nullcontext():
                yield
        finally:
            if self._chosen_running:  # an error came out of one, or the pass was stopped within
                self.__exit__(None, None, None)  # type: ignore[no-untyped-call]
                self._chosen_running = 0
            if self in _running.watches:
                _running.watches.remove(self)
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
            # Inside a dispatch the mode is off; its parts are to be seen by it again.
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        operation = canonical(func)
        site = None
        if is_site(operation):
            site = self._site(operation)
        return self.on_operation(func, args, kwargs, site)

    def _site(self, operation: str) -> Site:
        """The site of one more call of this operation in the module running."""
        here = (self.stack[-1], operation)
        self._sites[here] += 1
        return Site(*here, occurrence=self._sites[here])

    def _hooks_of_composite(
        self, part: torch.nn.Module, path: str, operation: str
    ) -> list[torch.utils.hooks.RemovableHandle]:
        """Hooks by which a module is seen as one operation, and nothing of what it does inside."""
        started: list[tuple[Site, torch.Tensor]] = []

        def start(module: torch.nn.Module, args: Any) -> None:
            self._paused = True
            # A list, as such a module may hold another one.
            started.append((self._site(operation), args[0]))
            self.before_composite(*started[-1])

        def end(module: torch.nn.Module, args: Any, output: Any) -> None:
            self.after_composite(*started.pop(), output)
            self._paused = False

        return [part.register_forward_pre_hook(start), part.register_forward_hook(end)]

    def _on_entry(self, path: str, *, is_chosen: bool) -> Callable[..., None]:
        def enter(module: torch.nn.Module, args: Any) -> None:
            self.stack.append(path)
            self.on_enter()
            if is_chosen:
                self._chosen_running += 1
                if self._chosen_running == 1:  # a chosen module may run within another
                    self.__enter__()  # type: ignore[no-untyped-call]

        return enter

    def _on_exit(self, path: str, *, is_chosen: bool) -> Callable[..., None]:
        def leave(module: torch.nn.Module, args: Any, output: Any) -> None:
            self._calls[path] += 1
            self._paused = True
            try:
                self.on_output(numbered_name(path, self._calls[path]), output)
            finally:
                self._paused = False
            self.stack.pop()
            if is_chosen:
                self._chosen_running -= 1
                if not self._chosen_running:
                    self.__exit__(None, None, None)  # type: ignore[no-untyped-call]

        return leave


def numbered_name(name: str, occurrence: int) -> str:
    """The name of a further call: `name#2` for the second.

    >>> numbered_name("layer1.0.relu", 1), numbered_name("layer1.0.relu", 2)
    ('layer1.0.relu', 'layer1.0.relu#2')
    """
    return name if occurrence == 1 else f"{name}#{occurrence}"


@cache
def _is_composite(function: torch._ops.OpOverload) -> bool:
    return bool(
        torch._C._dispatch_has_kernel_for_dispatch_key(str(function._name), "CompositeImplicitAutograd")
    )
