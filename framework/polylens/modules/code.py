"""Code as it was compiled: of functions with what they close over and read, and of classes."""

from __future__ import annotations

import dis
import sys
import sysconfig
import types
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polylens.modules.values import Values

_PASSED_OVER = frozenset(
    {
        "__dict__",
        "__weakref__",
        "__doc__",
        "__module__",
        "__qualname__",
        "__firstlineno__",
        "__static_attributes__",
        "__annotations__",
        "__annotations_cache__",
        "__annotate__",
        "__annotate_func__",
        "__abstractmethods__",
        "__slots__",
        "_abc_impl",
    }
)
"""What a class holds that decides nothing it computes."""
_NAMED_ONLY = frozenset({"torch", "numpy"})
"""Packages whose classes and functions are told by their names: what they do is their release's."""


def add_class(kind: type, values: Values) -> None:
    """Adds a class: by name where it is PyTorch's, NumPy's or Python's, else with all that it defines."""
    values.say(f"class {kind.__module__}.{kind.__qualname__}")
    for base in kind.__bases__:  # PyTorch makes a class of its own for a part that is parametrised
        values.add(base)
    if _is_told_by_name(kind):
        return
    for name, item in sorted(vars(kind).items()):
        if name not in _PASSED_OVER:
            values.say(name)
            values.add(item)


def add_function(function: types.FunctionType, values: Values) -> None:
    """Adds a function: its code, defaults, closure and attributes, and the globals that it reads.

    Globals of installed packages are not followed: the function's own code and names stand for them.
    """
    values.say(f"function {function.__qualname__}")
    if _is_told_by_name(function):
        values.say(function.__module__)
        return
    add_code(function.__code__, values)
    values.add(function.__defaults__)
    values.add(function.__kwdefaults__)
    values.add(vars(function))
    for cell in function.__closure__ or ():
        try:
            values.add(cell.cell_contents)
        except ValueError:  # a name that has no value yet
            values.say("empty")
    if is_library(function):
        return
    for name in _globals_of(function.__code__):
        values.say(name)
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        values.add(value)
        if isinstance(value, types.ModuleType) and not _is_installed(value.__name__):
            for inner in _names_of(function.__code__):
                if inner in vars(value):
                    values.say(inner)
                    values.add(vars(value)[inner])


def add_code(code: types.CodeType, values: Values) -> None:
    """Adds compiled code, without the places of its lines."""
    values.say(f"{code.co_argcount} {code.co_posonlyargcount} {code.co_kwonlyargcount} {code.co_flags}")
    values.say(code.co_code.hex())
    for names in (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars):
        values.say(" ".join(names))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            add_code(constant, values)
        else:
            values.add(constant)


def is_library(value: Any) -> bool:
    """Whether a class or function comes with Python or from an installed package."""
    return _is_installed(getattr(value, "__module__", None) or "")


def _is_told_by_name(value: Any) -> bool:
    """Whether a class or function is the one that a well-known package has under its name."""
    module = getattr(value, "__module__", None) or ""
    top = module.partition(".")[0]
    if top not in _NAMED_ONLY and (top not in sys.stdlib_module_names or top == "__main__"):
        return False
    known: Any = sys.modules.get(module)
    for name in value.__qualname__.split("."):
        known = getattr(known, name, None)
    return known is value


@cache
def _is_installed(module: str) -> bool:
    top = module.partition(".")[0]
    if top == "__main__":
        return False
    if top in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(module) or sys.modules.get(top), "__file__", None)
    if file is None:
        return False
    homes = {
        Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib", "platstdlib")
    }
    return any(home in Path(file).resolve().parents for home in homes)


def _globals_of(code: types.CodeType) -> list[str]:
    """Names of globals that the code, and code within it, reads."""
    names = {
        str(step.argval) for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= set(_globals_of(constant))
    return sorted(names)


def _names_of(code: types.CodeType) -> list[str]:
    """Names that the code, and code within it, reads from globals or from objects."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= set(_names_of(constant))
    return sorted(names)
