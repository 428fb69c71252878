"""`polylens describe`: one registry entry or kind, with all its keys."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylens.cli.families import no_kind, split_target
from polylens.errors import UsageError, nearest
from polylens.plugin import FAMILIES, UnknownKindError, kinds

if TYPE_CHECKING:
    from polylens.catalog import Entry, FieldPage, KindPage

_WIDTH = 100


@click.command(short_help="Explain one registry entry or kind.")
@click.argument("target", metavar="[FAMILY/]NAME")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(target: str, as_json: bool) -> None:
    """Explain one registry entry or kind: what it is, its source, and every key with type and default.

    Where an entry and a kind have the same name, the entry comes first and its kind after it. The family may
    be left out where only one has the name.
    """
    family, name = split_target(target) if "/" in target else _only(target)
    entry = _entry(family, name)
    page = _page(family, entry.kind if entry is not None else name)
    if as_json:
        click.echo(json.dumps(_record(entry, page), ensure_ascii=False))
        return
    if entry is not None:
        _show_entry(entry)
    _show_kind(page)


def _only(name: str) -> tuple[str, str]:
    """The one family that has an entry or a kind of this name, and the name.

    Raises:
        UsageError: no family has it, or several; says which.
    """
    from polylens.catalog import Catalog

    catalog = Catalog.around(Path.cwd())
    names = {family: {*catalog.names(family), *kinds(family)} for family in FAMILIES}
    having = [family for family in FAMILIES if name in names[family]]
    if len(having) == 1:
        return having[0], name
    if having:
        raise UsageError(
            f"several families have '{name}'",
            hint=f"say which: {', '.join(f'{each}/{name}' for each in having)}",
        )
    near = nearest(name, sorted(set().union(*names.values())))
    hint = f"did you mean '{near}'? " if near else ""
    raise UsageError(f"no entry and no kind '{name}' in any family", hint=f"{hint}`polylens ls` lists all")


def _entry(family: str, name: str) -> Entry | None:
    from polylens.catalog import Catalog, UnknownEntryError

    catalog = Catalog.around(Path.cwd())
    try:
        return catalog.entry(family, name)
    except UnknownEntryError as error:
        if name in kinds(family):
            return None
        known = sorted({*error.known, *kinds(family)})
        near = nearest(name, known)
        hint = f"did you mean '{family}/{near}'? " if near else ""
        message = f"no entry and no kind '{name}' in {family}"
        raise UsageError(
            message, hint=f"{hint}`polylens ls {family}` lists both; looked in: {error.search_path}"
        ) from None


def _page(family: str, name: str) -> KindPage:
    from polylens.catalog import kind_page

    try:
        return kind_page(family, name)
    except UnknownKindError as error:
        raise no_kind(error) from None


def _record(entry: Entry | None, page: KindPage) -> dict[str, Any]:
    described = None
    if entry is not None:
        described = {
            "family": entry.family,
            "name": entry.name,
            "about": entry.about,
            "source": entry.source,
            "licence": entry.licence,
            "file": str(entry.path),
            "entry": entry.fields,
        }
    return {"entry": described, "kind": dataclasses.asdict(page)}


def _show_entry(entry: Entry) -> None:
    from polylens.reading import write

    click.echo(click.style(f"{entry.family}/{entry.name}", bold=True) + f", an entry of kind {entry.kind}")
    _paragraph(entry.about)
    click.echo(f"  source:  {entry.source}")
    click.echo(f"  licence: {entry.licence}")
    click.echo(f"  file:    {entry.path}")
    click.echo(textwrap.indent(write({"entry": entry.fields}), "  "))


def _show_kind(page: KindPage) -> None:
    click.echo(click.style(f"{page.family}/{page.name}", bold=True) + ", a kind")
    for paragraph in page.about.split("\n\n"):
        _paragraph(paragraph)
        click.echo()
    if page.fields:
        click.echo(click.style("  keys", dim=True))
    else:
        click.echo("  it takes no keys besides 'kind'")
    for field in page.fields:
        _show_field(field, "    ")


def _show_field(field: FieldPage, indent: str) -> None:
    default = "required" if field.required else f"default {json.dumps(field.default, ensure_ascii=False)}"
    click.echo(f"{indent}{click.style(field.name, bold=True)}: {field.takes} ({default})")
    _paragraph(field.about, indent + "  ")
    for inner in field.fields:
        _show_field(inner, indent + "  ")


def _paragraph(text: str, indent: str = "  ") -> None:
    joined = " ".join(text.split())
    lines = textwrap.wrap(
        joined, width=_WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    for line in lines:
        click.echo(line)
