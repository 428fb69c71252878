"""What a field takes, in plain words, for errors and for the description of kinds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from polylens.plugin import Plugin

SINGULAR = {
    "models": "model",
    "datasets": "dataset",
    "sampling": "sampling rule",
    "codes": "code",
    "controls": "control",
    "analyses": "analysis",
    "labels": "label",
    "scores": "score",
    "judges": "judge",
}
"""One member of each family."""
_SIMPLE: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    NoneType: "null",
    Any: "any value",
}
_ITEMS: dict[Any, str] = {int: "whole numbers", float: "numbers", str: "texts"}


def in_words(annotation: Any, *, metadata: Sequence[Any] = ()) -> str:
    """What values a type takes, as a phrase that fits after 'must be'.

    >>> in_words(int | None, metadata=[Ge(1)])
    'a whole number of at least 1 or null'
    >>> in_words(tuple[int, ...] | Literal["center"])
    "'center' or a list of whole numbers"
    """
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return in_words(inner, metadata=[*metadata, *more])
    if annotation in _SIMPLE:
        limits = range_in_words(metadata) if annotation in (int, float) else ""
        return f"{_SIMPLE[annotation]} {limits}".strip()
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _either([in_words(argument, metadata=metadata) for argument in sorted(arguments, key=_length)])
    if origin is Literal:
        return _either([repr(value) if isinstance(value, str) else str(value) for value in arguments])
    if origin in (tuple, list):
        return _list_in_words(arguments)
    if origin is dict or annotation is dict:
        return "a map"
    if isinstance(annotation, type) and issubclass(annotation, Plugin):
        noun = SINGULAR.get(annotation.family, "kind")
        return f"{with_article(noun)}: a registry name, or a map with 'use' or 'kind'"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a map with {', '.join(annotation.model_fields)}"
    return f"a {getattr(annotation, '__name__', annotation)}"


def with_article(noun: str) -> str:
    """A noun with its article.

    >>> with_article("analysis"), with_article("label")
    ('an analysis', 'a label')
    """
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def range_in_words(metadata: Iterable[Any]) -> str:
    """The limits of a number or of a list's length, as a phrase; empty where there are none.

    >>> range_in_words([Ge(1), Le(10)])
    'of at least 1 and at most 10'
    """
    parts = []
    for item in _constraints(metadata):
        match item:
            case Ge(ge=limit):
                parts.append(f"at least {limit}")
            case Gt(gt=limit):
                parts.append(f"more than {limit}")
            case Le(le=limit):
                parts.append(f"at most {limit}")
            case Lt(lt=limit):
                parts.append(f"less than {limit}")
            case MinLen(min_length=limit):
                parts.append(f"at least {limit} long")
            case MaxLen(max_length=limit):
                parts.append(f"at most {limit} long")
            case MultipleOf(multiple_of=step):
                parts.append(f"a multiple of {step}")
    return f"of {' and '.join(parts)}" if parts else ""


def _constraints(metadata: Iterable[Any]) -> list[Any]:
    flat: list[Any] = []
    for item in metadata:
        flat.extend(item.metadata if isinstance(item, FieldInfo) else [item])
    return flat


def _list_in_words(arguments: tuple[Any, ...]) -> str:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        arguments = arguments[:1]
    if len(arguments) > 1:
        return f"a list of {len(arguments)} values, each {in_words(arguments[0])}"
    item, metadata = _bare(arguments[0]) if arguments else (Any, [])
    if item in _ITEMS:
        return f"a list of {_ITEMS[item]} {range_in_words(metadata)}".strip()
    return f"a list, each item {in_words(arguments[0])}" if arguments else "a list"


def _bare(annotation: Any) -> tuple[Any, list[Any]]:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return inner, metadata
    return annotation, []


def _either(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"


def _length(annotation: Any) -> int:
    """Puts what is said in a word before lists and maps, and null last."""
    inner, _ = _bare(annotation)
    if inner is NoneType:
        return 2
    return 0 if inner in _SIMPLE or get_origin(inner) is Literal else 1
