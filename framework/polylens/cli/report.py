"""`polylens report`: the page of a past run."""

from __future__ import annotations

import shutil
from pathlib import Path

import click


@click.command("report", short_help="Show the page of a past run.")
@click.argument("run")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to this file.")
@click.option("--open", "opens", is_flag=True, help="Open it in a browser.")
def command(run: str, out: Path | None, opens: bool) -> None:
    """Print the path of the page of RUN, as MLflow has it; nothing is computed.

    RUN is MLflow's id of a run, the first four characters of it or more, or its name, of which the newest
    finished run is taken. The page is one file without anything beside it.
    """
    from polylens.errors import TrackingError, UsageError, shown_path
    from polylens.settings import load_settings
    from polylens.tracking import REPORT
    from polylens.tracking.lookup import Lookup

    settings = load_settings(Path.cwd())
    lookup = Lookup(settings)
    meant, of = lookup.newest(run)
    if of > 1:
        click.echo(f"{of} runs are named '{run}'; this is the newest finished one: {meant.shown}", err=True)
    folder = settings.store / "seen" / "reports" / meant.run_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made: {error.strerror}",
            hint="give the store another place with POLYLENS_STORE",
        ) from error
    page = lookup.file(meant, REPORT, into=folder)
    if page is None:
        raise TrackingError(
            f"the run {meant.shown} has no page",
            hint="the command that made it goes on from where it ended, and writes one",
        )
    if out is not None:
        try:
            shutil.copyfile(page, out)
        except OSError as error:
            raise UsageError(f"cannot write {out}: {error.strerror}") from error
        page = out
    click.echo(shown_path(page))
    if opens:
        import webbrowser

        if not webbrowser.open(page.resolve().as_uri()):
            raise UsageError("no browser could be started", hint=f"open {page.resolve()} in one")
