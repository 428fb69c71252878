"""`polylens store`: what the store of results holds, whether it is whole, and clearing it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylens.settings import Settings
    from polylens.store import Inventory
    from polylens.upkeep.references import Use

_DAMAGED = 1


@click.group("store", short_help="List, check and clear the store of results.")
def command() -> None:
    """List, check and clear the store of results (`.polylens`, or where POLYLENS_STORE points)."""


@command.command("ls", short_help="List what the store holds.")
@click.option("--stages", is_flag=True, help="List each stage, with the runs that use it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_command(stages: bool, as_json: bool) -> None:
    """List what the store holds by kind and by run, and what no run refers to.

    Where MLflow cannot be asked, what the store holds is listed all the same, without its runs.
    """
    from polylens.cli.holdings import inventory_record, show_inventory, show_stages
    from polylens.store import take_inventory

    settings = _settings()
    inventory = take_inventory(settings.store)
    users, trouble = _users(settings, inventory, quiet=as_json)
    now = datetime.now(UTC)
    if as_json:
        click.echo(json.dumps(inventory_record(inventory, users, trouble=trouble), ensure_ascii=False))
        return
    if stages:
        show_stages(inventory.holdings, users, now=now)
    else:
        show_inventory(inventory, users, now=now)
    if trouble:
        click.echo(f"which runs use it is not known: {trouble}", err=True)


@command.command("verify", short_help="Read every byte, and name what is damaged.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_command(as_json: bool) -> int:
    """Read every byte of every stage, and name what is not as it was written.

    Nothing is changed: the next run that needs a damaged stage puts it aside and makes it anew. The exit code
    is 1 where anything is damaged.
    """
    from polylens.cli.progress import open_progress
    from polylens.store import take_inventory

    inventory = take_inventory(_settings().store)
    damaged = []
    with (
        open_progress(quiet=as_json) as progress,
        progress.task("verifying", total=inventory.n_bytes / 1e6, unit="MB") as task,
    ):
        for each in inventory.holdings:
            if (fault := each.damage()) is not None:
                damaged.append((each, fault))
            task.advance(each.n_bytes / 1e6)
    unnamed = [each for each in inventory.leftovers if each.what == "unnamed"]
    if as_json:
        stages = [
            {"kind": each.kind, "name": each.name, "digest": each.digest, "fault": fault}
            for each, fault in damaged
        ]
        record = {
            "checked": len(inventory.holdings),
            "damaged": stages,
            "unnamed": [str(each.path) for each in unnamed],
        }
        click.echo(json.dumps(record, ensure_ascii=False))
        return _DAMAGED if damaged else 0
    for each, fault in damaged:
        click.echo(
            f"{click.style('damaged:', fg='red', bold=True)} {each.kind} {each.name} {each.digest}: {fault}"
        )
    for leftover in unnamed:
        click.echo(f"in no manifest: {leftover.path}")
    if damaged:
        click.echo(
            f"{len(damaged)} of {len(inventory.holdings)} stages are damaged; "
            "the next run that needs one makes it anew"
        )
    else:
        click.echo(f"{len(inventory.holdings)} stages, all as they were written")
    if unnamed:
        click.echo("`polylens store gc` removes files that are in no manifest")
    return _DAMAGED if damaged else 0


@command.command("gc", short_help="Clear what no run refers to.")
@click.option("--older-than", metavar="AGE", help="Only what is older: 12h, 30d, 2w.")
@click.option("--keep", metavar="SIZE", help="Only until the store takes SIZE, the oldest first: 2GB.")
@click.option("--yes", is_flag=True, help="Remove it; without this it is only said.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def clear_command(older_than: str | None, keep: str | None, yes: bool, as_json: bool) -> None:
    """Clear the store of what no run in MLflow refers to; without --yes only say what would go.

    Runs refer to the stages they name, and to all that these stand on, whether they are finished or not. What
    is kept for MLflow stays, and so does everything while a run uses the store or MLflow cannot be asked.
    """
    from polylens.cli.holdings import holding_record, leftover_record, show_clearing
    from polylens.upkeep.clearing import age_in_words, choose, clear, size_in_words

    age = None if older_than is None else age_in_words(older_than)
    size = None if keep is None else size_in_words(keep)
    now = datetime.now(UTC)
    clearing = (clear if yes else choose)(_settings(), now=now, older_than=age, keep=size)
    if as_json:
        record = {
            "removed": yes,
            "bytes": clearing.n_bytes,
            "bytes_left": clearing.n_bytes_left,
            "stages": [holding_record(each, None) for each in clearing.stages],
            "leftovers": [leftover_record(each) for each in clearing.leftovers],
        }
        click.echo(json.dumps(record, ensure_ascii=False))
        return
    show_clearing(clearing, removed=yes, now=now)
    if size is not None and clearing.n_bytes_left > size:
        click.echo(
            "runs refer to more than that; `polylens store ls` lists them, `polylens rm RUN` gives one up"
        )


def _settings() -> Settings:
    from polylens.settings import load_settings

    settings = load_settings(Path.cwd())
    for note in settings.notes:
        click.echo(note, err=True)
    return settings


def _users(
    settings: Settings, inventory: Inventory, *, quiet: bool
) -> tuple[Mapping[str, tuple[Use, ...]] | None, str]:
    """The runs of each stage, or None and why they are not known."""
    from polylens.cli.progress import open_progress
    from polylens.errors import PolylensError
    from polylens.upkeep.references import users_of, uses_of

    try:
        with open_progress(quiet=quiet) as progress:
            return users_of(inventory, uses_of(settings, progress=progress)), ""
    except PolylensError as error:
        return None, error.message
