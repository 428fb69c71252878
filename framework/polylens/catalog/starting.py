"""A commented registry entry to start from, made from a kind's own fields."""

from __future__ import annotations

import textwrap
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from polylens.catalog.kinds import FieldPage, field_pages
from polylens.plugin import Plugin, kinds, load_kind
from polylens.reading import write

_WIDTH = 96


def starting_entry(family: str, kind: str) -> str:
    """The text of a registry entry of a kind: required keys with an example, the others in comments.

    Raises:
        UnknownKindError: no such kind.
    """
    cls = load_kind(family, kind)
    lines = [
        "# A registry entry: specs use it by this file's name.",
        "about: What it is, and what it is for.",
        "source: ours",
        "licence: MIT",
        "# Keys in comments have the value that stands there anyway.",
        "entry:",
        f"  kind: {kind}",
    ]
    for page in field_pages(cls):
        lines += _key(page, cls.model_fields[page.name])
    return "\n".join(lines) + "\n"


def _key(page: FieldPage, field: FieldInfo) -> list[str]:
    comment = [f"  # {line}" for line in textwrap.wrap(f"{page.about} [{page.takes}]", width=_WIDTH)]
    value = example(field) if page.required else page.default
    text = textwrap.indent(write({page.name: value}).rstrip(), "  " if page.required else "  # ")
    return [*comment, *text.splitlines()]


def example(field: FieldInfo) -> Any:
    """A valid value of a required field: its own first example, or the plainest value its type has."""
    if field.examples:
        return field.examples[0]
    return _plainest(field.annotation, field.metadata)


def _plainest(annotation: Any, metadata: list[Any]) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *more = arguments
        return _plainest(inner, [*metadata, *(item for part in more for item in _flat(part))])
    if origin is Literal:
        return arguments[0]
    if origin in (tuple, list):
        items = [item for item in arguments if item is not Ellipsis]
        least = next((item.min_length for item in metadata if isinstance(item, MinLen)), 1)
        return [
            _plainest(item, [])
            for item in (items if arguments[-1] is not Ellipsis else items * max(least, 1))
        ]
    if origin is dict:
        return {}
    if arguments:
        return _plainest(next(option for option in arguments if option is not NoneType), metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _plainest_map(annotation)
    if annotation in (int, float):
        return _least(annotation, metadata)
    return False if annotation is bool else "name"


def _plainest_map(cls: type[BaseModel]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    if issubclass(cls, Plugin):
        kind = kinds(cls.family)[0]
        cls, named = load_kind(cls.family, kind), {"kind": kind}
    required = {name: field for name, field in cls.model_fields.items() if field.is_required()}
    return named | {name: example(field) for name, field in required.items()}


def _least(number: type[int] | type[float], metadata: list[Any]) -> int | float:
    limits: dict[type, Any] = {type(item): item for item in metadata}
    if Gt in limits:
        return number(limits[Gt].gt + 1)
    return max(number(limits[Ge].ge), number(1)) if Ge in limits else number(1)


def _flat(item: Any) -> list[Any]:
    return item.metadata if isinstance(item, FieldInfo) else [item]
