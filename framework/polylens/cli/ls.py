"""`polylens ls`: registry entries and kinds."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylens.cli.families import check_family
from polylens.errors import PolylensError
from polylens.plugin import FAMILIES, kinds

if TYPE_CHECKING:
    from polylens.catalog import Catalog

_EXPERIMENTS = "experiments"
_QUESTIONS = {
    "models": "which network?",
    "datasets": "on which examples?",
    "sampling": "which positions become rows?",
    "codes": "how is a polytope told from another?",
    "controls": "what would be there anyway?",
    "analyses": "what is computed from the rows?",
    "labels": "what does a cluster mean?",
    "scores": "can a label be trusted?",
    "judges": "who is asked what a label says?",
}
"""What each family answers of an experiment, in the order in which a spec asks."""


@click.command(short_help="List registry entries and kinds.")
@click.argument("families", nargs=-1, metavar="[FAMILY]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(families: tuple[str, ...], as_json: bool) -> None:
    """List registry entries (names a spec can use) and kinds (what a spec can write out).

    FAMILY is models, datasets, sampling, codes, controls, analyses, labels, scores or judges; all of
    them if none is given. `experiments` lists the specs that polylens ships.
    """
    asked = dict.fromkeys(families or FAMILIES)
    for name in asked:
        if name != _EXPERIMENTS:
            check_family(name, also=(_EXPERIMENTS,))
    listed = {name: _family(name) for name in asked if name != _EXPERIMENTS}
    shipped = _shipped() if _EXPERIMENTS in asked else None
    if as_json:
        printed: dict[str, object] = {"families": listed} if listed else {}
        printed |= {} if shipped is None else {_EXPERIMENTS: shipped}
        click.echo(json.dumps(printed, ensure_ascii=False))
        return
    for number, name in enumerate(asked):
        if number:
            click.echo()
        if name == _EXPERIMENTS:
            _show_experiments(shipped or [])
        else:
            click.echo(f"{click.style(name, bold=True)}: {_QUESTIONS[name]}")
            _show("entries, which a spec can name", listed[name]["entries"])
            _show("kinds, which a spec can write out", listed[name]["kinds"])


def _shipped() -> list[dict[str, str]]:
    from polylens.catalog import about_experiment, shipped_experiments

    return [
        {"name": name, "about": " ".join(about_experiment(file).split()), "file": str(file)}
        for name, file in shipped_experiments().items()
    ]


def _show_experiments(members: list[dict[str, str]]) -> None:
    click.echo(click.style(_EXPERIMENTS, bold=True))
    _show("specs that polylens ships", members)
    if members:
        click.echo(f"\n`polylens new experiment/mine --like {members[0]['name']}` copies one")


def _family(family: str) -> dict[str, list[dict[str, Any]]]:
    from polylens.catalog import Catalog

    catalog = Catalog.around(Path.cwd())
    return {
        "entries": [_entry(catalog, family, name) for name in catalog.names(family)],
        "kinds": [{"name": name, "about": _kind_about(family, name)} for name in kinds(family)],
    }


def _entry(catalog: Catalog, family: str, name: str) -> dict[str, Any]:
    shelf = catalog.shelf_of(family, name)
    record = {"name": name, "kind": None, "about": "", "from": "" if shelf is None else shelf.shown}
    try:
        entry = catalog.entry(family, name)
    except PolylensError as error:
        return {**record, "about": f"cannot be read: {error.message}"}
    return {**record, "kind": entry.kind, "about": entry.about}


def _kind_about(family: str, name: str) -> str:
    from polylens.catalog import kind_summary

    try:
        return kind_summary(family, name)
    except (ImportError, TypeError) as error:
        # A plugin that cannot be loaded must not hide everything else.
        return f"cannot be loaded: {error}"


def _show(title: str, members: Sequence[Mapping[str, Any]]) -> None:
    if not members:
        return
    click.echo(click.style(f"  {title}", dim=True))
    width = max(len(member["name"]) for member in members)
    room = max(shutil.get_terminal_size(fallback=(110, 24)).columns, 60) - width - 8
    for member in members:
        first, *rest = textwrap.wrap(_first_sentence(member["about"]), room) or [""]
        click.echo(f"    {member['name']:<{width}}  {first}".rstrip())
        for line in rest:
            click.echo(f"{'':<{width + 6}}{line}")


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".")
