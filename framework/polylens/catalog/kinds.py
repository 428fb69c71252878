"""The page of one kind: what it does and which keys it takes, read from the class itself."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from polylens.catalog.summaries import first_paragraph
from polylens.catalog.words import in_words, range_in_words
from polylens.plugin import Plugin, load_kind


@dataclass(frozen=True)
class FieldPage:
    """One key of a kind."""

    name: str
    takes: str
    """Type and range in plain words."""
    required: bool
    default: Any
    """Plain data; None where the key is required."""
    about: str
    """What it means, with unit and range."""
    fields: tuple[FieldPage, ...] = ()
    """Keys of the map it takes, where it takes one."""


@dataclass(frozen=True)
class KindPage:
    """One kind with all its keys."""

    family: str
    name: str
    about: str
    fields: tuple[FieldPage, ...]

    @property
    def summary(self) -> str:
        """The first paragraph."""
        return first_paragraph(self.about)


def kind_page(family: str, name: str) -> KindPage:
    """The page of one kind.

    Raises:
        UnknownKindError: no such kind.
    """
    cls = load_kind(family, name)
    return KindPage(
        family=family, name=name, about=inspect.cleandoc(cls.__doc__ or ""), fields=field_pages(cls)
    )


def field_pages(cls: type[BaseModel]) -> tuple[FieldPage, ...]:
    """The pages of a class's fields, in their order."""
    return tuple(_field_page(name, field) for name, field in cls.model_fields.items())


def _field_page(name: str, field: FieldInfo) -> FieldPage:
    block = _block(field.annotation)
    limits = range_in_words(field.metadata)
    takes = (
        "a map of these keys" if block is not None else in_words(field.annotation, metadata=field.metadata)
    )
    if limits and "long" in limits:
        takes = f"{takes}, {limits.removeprefix('of ')}"
    default = None if field.is_required() else _plain_default(field)
    return FieldPage(
        name=name,
        takes=takes,
        required=field.is_required(),
        default=default,
        about=inspect.cleandoc(field.description or ""),
        fields=field_pages(block) if block is not None else (),
    )


def _block(annotation: Any) -> type[BaseModel] | None:
    """The class of nested keys a field takes, where it takes exactly such a map (or nothing)."""
    options = [option for option in get_args(annotation) or (annotation,) if option is not type(None)]
    if len(options) == 1 and isinstance(options[0], type) and issubclass(options[0], BaseModel):
        return None if issubclass(options[0], Plugin) else options[0]
    return None


def _plain_default(field: FieldInfo) -> Any:
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        return None
    if isinstance(default, Plugin):
        return default.to_plain()
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json")
    return list(default) if isinstance(default, tuple) else default
