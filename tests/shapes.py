"""Checks of the engines' arrays against their annotated shapes, while tests run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, update_wrapper
from types import CellType, CodeType, FunctionType
from typing import Any

import jaxtyping
from jaxtyping import config, install_import_hook, jaxtyped


def check_shapes(packages: Sequence[str]) -> None:
    """Has every call of these packages, imported from now on, hold its arrays against their annotated shapes.

    jaxtyping's hook decorates an inner function each time the one around it is called, and beartype writes
    and compiles the same checks anew: a third of the time of a whole run. Here they are made once.
    """
    # What the hook writes into modules asks for the decorator by this name.
    jaxtyping.jaxtyped = checked
    install_import_hook(packages, "beartype.beartype")


def checked(function: Any = None, *, typechecker: Callable[..., Any]) -> Any:
    """jaxtyping's decorator, whose checks of an inner function are made once for all that share its code."""
    if function is None:
        return partial(checked, typechecker=typechecker)
    if not _is_inner(function):
        return jaxtyped(function, typechecker=typechecker)
    code = function.__code__
    if code not in _made:
        blank = _without_closure(function)
        _made[code] = blank, jaxtyped(blank, typechecker=typechecker)
    blank, wrapper = _made[code]
    return update_wrapper(_around(wrapper, old=blank, new=function), function)


_made: dict[CodeType, tuple[FunctionType, FunctionType]] = {}
"""By its code: an inner function that holds nothing of any call, and the same with its checks around it."""


def _is_inner(function: Any) -> bool:
    """Whether its hints are those of every function of its code: text that is looked up in its module."""
    return (
        isinstance(function, FunctionType)
        and "<locals>" in function.__qualname__
        and all(isinstance(hint, str) for hint in function.__annotations__.values())
    )


def _without_closure(function: FunctionType) -> FunctionType:
    empty = tuple(CellType() for _ in function.__code__.co_freevars)
    blank = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, empty
    )
    blank.__kwdefaults__ = function.__kwdefaults__
    blank.__annotations__ = function.__annotations__
    blank.__qualname__, blank.__module__ = function.__qualname__, function.__module__
    return blank


def _around(wrapper: FunctionType, *, old: FunctionType, new: FunctionType) -> FunctionType:
    """What is wrapped around one function, around another: jaxtyping holds it in two closures."""
    held = dict(zip(wrapper.__code__.co_freevars, wrapper.__closure__ or (), strict=True))
    impl = held["wrapped_fn_impl"].cell_contents
    return _with(wrapper, {id(old): new, id(impl): _with(impl, {id(old): new})})


def _with(function: FunctionType, others: Mapping[int, FunctionType]) -> FunctionType:
    cells = tuple(
        CellType(others[id(cell.cell_contents)]) if id(cell.cell_contents) in others else cell
        for cell in function.__closure__ or ()
    )
    return FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, cells
    )


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
