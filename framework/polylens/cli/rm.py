"""`polylens rm`: takes a run out of MLflow."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylens.settings import Settings
    from polylens.tracking.lookup import LoggedRun


@click.command("rm", short_help="Remove a run from MLflow.")
@click.argument("run")
@click.option("--artifacts", is_flag=True, help="Also remove its report, tables and figures, for good.")
@click.option("--yes", is_flag=True, help="Remove it; without this it is only said.")
def command(run: str, artifacts: bool, yes: bool) -> None:
    """Remove RUN from MLflow, with the runs that lie under it; without --yes only say what would go.

    RUN is MLflow's id of a run, the first four characters of it or more, or its name. The run is marked as
    deleted, which MLflow can undo; with --artifacts its files go for good. Stored results stay, and
    `polylens store gc` clears those that no other run refers to.
    """
    from polylens.cli.outlook import size_in_units
    from polylens.errors import StoreError
    from polylens.settings import load_settings
    from polylens.store import is_in_use
    from polylens.tracking.lookup import Lookup, restoring
    from polylens.tracking.removal import mark_as_deleted, n_bytes_of_artifacts, remove_artifacts

    settings = load_settings(Path.cwd())
    lookup = Lookup(settings)
    meant = lookup.one(run)
    runs = [meant, *lookup.children(meant)]
    if yes and any(each.status == "RUNNING" for each in runs) and is_in_use(settings.store):
        raise StoreError(
            f"the run {meant.shown} may be going on now: a process is using the store",
            hint="end it with Ctrl-C, or wait for its end",
        )
    size = sum(n_bytes_of_artifacts(lookup, each) for each in runs)
    if yes:
        for each in runs:
            if artifacts:
                remove_artifacts(lookup, each)
            mark_as_deleted(lookup, each)
    for each in runs:
        click.echo(f"{'removed' if yes else 'would remove'} {each.shown}")
    files = f"its files, {size_in_units(size)}," if len(runs) == 1 else f"their files, {size_in_units(size)},"
    if artifacts:
        click.echo(f"{files} {'are gone' if yes else 'would go'} for good")
    else:
        click.echo(f"{files} stay, for MLflow to undo it; --artifacts removes them for good")
    if yes:
        for each in runs:
            click.echo(f"undo: {restoring(each, settings)}")
    _say_what_is_free(settings, runs)
    if not yes:
        click.echo("nothing was removed; --yes removes it")


def _say_what_is_free(settings: Settings, runs: Sequence[LoggedRun]) -> None:
    """What clearing the store would free once the runs are gone."""
    from polylens.cli.outlook import size_in_units
    from polylens.errors import PolylensError
    from polylens.upkeep.clearing import choose

    try:
        clearing = choose(settings, now=datetime.now(UTC), without=[each.run_id for each in runs])
    except PolylensError as error:
        click.echo(f"what could then be cleared from the store is not known: {error.message}", err=True)
        return
    click.echo(
        f"`polylens store gc` then frees {size_in_units(clearing.n_bytes)} of the store, "
        f"{len(clearing.stages)} stages that no other run refers to"
    )
