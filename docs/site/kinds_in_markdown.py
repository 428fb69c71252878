"""Every kind of a family with its keys and an example, in Markdown, read from the classes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from polylens.catalog import (
    FieldPage,
    KindPage,
    kind_page,
    shipped_experiments,
    shipped_folder,
    starting_entry,
)
from polylens.plugin import kinds
from polylens.reading import read, write

_HEAD = "| key | takes | default | meaning |\n| --- | --- | --- | --- |"


def family_in_markdown(family: str) -> str:
    """A section for each kind of a family: what it does, an example, and a table of its keys.

    Raises:
        UnknownKindError: there is no such family.
    """
    return "\n\n".join(_section(kind_page(family, name)) for name in kinds(family))


def _section(page: KindPage) -> str:
    example, source = _example(page.family, page.name)
    parts = [
        f"## {page.name}",
        _prose(page.about),
        f"{source}\n\n```yaml\n{write(_in_a_spec(page, example))}```",
    ]
    rows = list(_rows(page.fields, ""))
    parts.append("\n".join([_HEAD, *rows]) if rows else "It takes no keys besides `kind`.")
    return "\n\n".join(parts)


def _in_a_spec(page: KindPage, value: dict[str, Any]) -> dict[str, Any]:
    """A value under the key that a spec has for it: in a list or under a name where there can be several."""
    if page.family == "controls":
        return {page.family: [value]}
    if page.family in ("analyses", "labels"):
        return {page.family: {page.name: value}}
    return {"sampling" if page.family == "sampling" else page.family.removesuffix("s"): value}


def _rows(fields: tuple[FieldPage, ...], before: str) -> Iterator[str]:
    for field in fields:
        name = f"{before}{field.name}"
        default = "required" if field.required else f"`{json.dumps(field.default, ensure_ascii=False)}`"
        cells = (f"`{name}`", html.escape(field.takes, quote=False), default, _prose(field.about))
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
        yield from _rows(field.fields, f"{name}.")


def _prose(text: str) -> str:
    """A docstring as Markdown: what is no code is shown as it is written."""
    pieces = re.split(r"(`[^`]*`)", text.replace("\nDeparts: ", "\n\nDeparts: "))
    return "".join(
        piece if number % 2 else re.sub(r"([*_<>\[\]#$])", r"\\\1", piece)
        for number, piece in enumerate(pieces)
    )


def _example(family: str, kind: str) -> tuple[dict[str, Any], str]:
    """A value of a kind and where it is from: what is shipped, or else the plainest that is right."""
    if (family, kind) in _shipped():
        return _shipped()[family, kind]
    plainest: Any = read(starting_entry(family, kind).encode(), file=kind).value
    return plainest["entry"], "Its required keys, with values that are only an example:"


@cache
def _shipped() -> dict[tuple[str, str], tuple[dict[str, Any], str]]:
    """The first value of each kind that the registry has, or else an experiment."""
    values: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
    registry = shipped_folder("registry")
    for file in sorted(registry.glob("*/*.yaml")) if registry is not None else ():
        entry: Any = read(file.read_bytes(), file=str(file)).value
        name = f"{file.parent.name}/{file.stem}"
        values.setdefault(
            (file.parent.name, entry["entry"]["kind"]),
            (entry["entry"], f"As the registry's `{name}` has it:"),
        )
    for name, file in shipped_experiments().items():
        spec: Any = read(file.read_bytes(), file=str(file)).value
        for family in ("controls", "analyses", "labels"):
            for value in _members(spec.get(family)):
                if "kind" in value:
                    values.setdefault((family, value["kind"]), (value, f"As the experiment `{name}` has it:"))
    return values


def _members(value: Any) -> list[dict[str, Any]]:
    members = value.values() if isinstance(value, dict) else value or []
    return [member for member in members if isinstance(member, dict)]
