"""Checks of the engines' arrays against their annotated shapes, while tests run."""

from __future__ import annotations

import builtins
import functools
import inspect
import re
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import is_dataclass
from types import FunctionType
from typing import Any

import jaxtyping
import numpy as np
import torch
from jaxtyping import AbstractArray, AbstractDtype, config, install_import_hook, jaxtyped


def check_shapes(packages: Sequence[str]) -> None:
    """Has every call of these packages, imported from now on, hold its arrays against their annotated shapes.

    Left to itself, jaxtyping makes the checks of every function that is imported, of an inner one each time
    the function around it is called, and checks every call: half of the time of a whole run. Here checks are
    made when a function is first called, and calls that differ in nothing but numbers are checked once. What
    takes and gives no arrays is left to mypy.
    """
    # What the hook writes into modules asks for the decorator by this name.
    jaxtyping.jaxtyped = checked
    install_import_hook(packages, "beartype.beartype")


def checked(function: Any = None, *, typechecker: Callable[..., Any]) -> Any:
    """jaxtyping's decorator, whose checks are shared by all functions of one code and by calls alike."""
    if function is None:
        return functools.partial(checked, typechecker=typechecker)
    if not _has_arrays(_hints(function), module=function.__module__, unknown=True):
        return function
    if isinstance(function, type):
        if is_dataclass(function):
            function.__init__ = checked(function.__init__, typechecker=typechecker)  # type: ignore[misc]
        return function
    key: Hashable = function
    if all(
        isinstance(hint, str) for hint in _hints(function)
    ):  # they are those of every function of this code
        # Not by the code alone: dataclasses with fields of one name have one `__init__`.
        key = function.__module__, function.__code__, tuple(function.__annotations__.items())
    checks = _made[key] = _made.get(key) or _Checks(function, typechecker)

    @functools.wraps(function)
    def held_against_shapes(*args: Any, **kwargs: Any) -> Any:
        if config.jaxtyping_disable or not checks.has_arrays:
            return function(*args, **kwargs)
        given = checks.check_given(args, kwargs)
        found = function(*args, **kwargs)
        checks.check_found(found, given, args, kwargs)
        return found

    return held_against_shapes


class _Checks:
    """The checks of one function, made when they are first asked for, and the calls that have passed them."""

    def __init__(self, function: FunctionType, typechecker: Callable[..., Any]) -> None:
        # Not the function itself, which may hold what it was made around.
        self._hints = _hints(function)
        self._signature = inspect.signature(function)
        self._names = {name: getattr(function, name) for name in ("__module__", "__qualname__", "__name__")}
        self._globals = function.__globals__
        self._typechecker = typechecker
        self._found = threading.local()
        self._passed: set[Hashable] = set()
        self._names_sizes = any("{" in str(hint) for hint in self._hints)

    @functools.cached_property
    def has_arrays(self) -> bool:
        """Whether there is anything to check; names are known now that were not when it was decorated."""
        return _has_arrays(self._hints, module=self._names["__module__"], unknown=False)

    def check_given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable | None:
        """Checks what a function is given; what calls like this one have in common, if that can be told."""
        # A size that a hint takes from a number is not seen in shapes.
        given = None if self._names_sizes else _shape((args, *kwargs.items()))
        if given is None or given not in self._passed:
            with suppress(_NothingFoundError):
                self._check(*args, **kwargs)
            self._passed.add(given)
        return given

    def check_found(
        self, found: Any, given: Hashable | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Checks what the function made of it."""
        shape = _shape(found)
        if given is None or shape is None or (given, shape) not in self._passed:
            self._found.value = found
            try:
                self._check(*args, **kwargs)
            finally:
                del self._found.value
            self._passed.add((given, shape))

    @functools.cached_property
    def _check(self) -> Callable[..., Any]:
        """A function of this signature, held against its hints, that gives what was found."""
        at_hand, nothing = self._found, _NothingFoundError  # its globals are those of the function

        def stand_in(*_args: Any, **_kwargs: Any) -> Any:
            if hasattr(at_hand, "value"):
                return at_hand.value
            raise nothing

        made = FunctionType(stand_in.__code__, self._globals, closure=stand_in.__closure__)
        for name, value in self._names.items():
            setattr(made, name, value)
        made.__signature__ = self._signature  # type: ignore[attr-defined]
        return jaxtyped(made, typechecker=self._typechecker)


class _NothingFoundError(Exception):
    """What a function is given fits its hints, and the function has not been called yet."""


_made: dict[Hashable, _Checks] = {}
_FEW = 16
"""Parts of a tuple or a list that are looked at one by one."""


def _shape(value: Any) -> Hashable | None:
    """All that a check may ask of a value; None where that cannot be told in short."""
    if isinstance(value, np.ndarray | torch.Tensor):
        return type(value), value.shape, value.dtype
    if isinstance(value, str):  # a hint may be of some words alone
        return value
    if isinstance(value, tuple | list):
        parts = [_shape(part) for part in value] if len(value) <= _FEW else [None]
        return None if None in parts else (type(value), *parts)
    if isinstance(value, dict):
        return _shape((*value, *value.values()))
    if isinstance(value, set | frozenset):
        return None
    return type(value)


def _hints(function: Any) -> list[Any]:
    """The hints of a function or of a class's fields, without None: what a dataclass's `__init__` gives."""
    return [hint for hint in function.__annotations__.values() if hint is not None]


def _has_arrays(hints: Sequence[Any], *, module: str, unknown: bool) -> bool:
    """Whether a hint is of arrays by itself or by an alias.

    Args:
        hints: of a function, or of a class's fields.
        module: where they stand.
        unknown: whether a name that is not known there may be such an alias.
    """
    if not all(isinstance(hint, str) for hint in hints):
        return True
    known = vars(builtins) | vars(sys.modules[module])
    names = {name for hint in hints for name in re.findall(r"[A-Za-z_]\w*", re.sub(r'".*?"', "", hint))}
    return any(_is_of_arrays(known[name]) if name in known else unknown for name in names)


def _is_of_arrays(hint: Any) -> bool:
    """Whether it is a type of arrays such as `Float` or `Float[torch.Tensor, "rows"]`, or made of such."""
    if isinstance(hint, type):
        return issubclass(hint, AbstractArray | AbstractDtype)
    return any(_is_of_arrays(part) for part in getattr(hint, "__args__", ()))


@contextmanager
def unchecked(*, when: bool = True) -> Iterator[None]:
    """Switches the checks off for a while: a resampled statistic takes three times as long with them.

    Args:
        when: whether to; the first round of a simulation is checked, as all others are like it.
    """
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", value=before or when)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", value=before)
