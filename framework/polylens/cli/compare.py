"""`polylens compare`: past runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

NOT_LOGGED = 4


@click.command(short_help="Set past runs side by side.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--all", "show_all", is_flag=True, help="Show every number, and not the headlines alone.")
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page.")
@click.option("--log", is_flag=True, help="Log the page, tables and pictures as a run of their own.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(runs: tuple[str, ...], show_all: bool, page: Path | None, log: bool, as_json: bool) -> int:
    """Say what differs between runs: in their specs, in their numbers, and where rows went.

    A RUN is an MLflow id or the start of one, a run's name (its newest finished run), or the path of a spec
    (its runs as it is now; a sweep stands for all of them). RUN:CONTROL is a control of a run, such as
    7f3a:random_init, and RUN:CONTROL#2 its second draw. Every further run is compared with the first.

    Nothing is computed on networks and nothing is written, but for what --page and --log ask for.
    """
    from polylens.cli.contrast import show_contrast
    from polylens.settings import load_settings
    from polylens.study.contrasts import contrast_of
    from polylens.study.meant import past_runs
    from polylens.study.sides import sides_meant

    settings = load_settings(Path.cwd())
    for note in settings.notes:
        click.echo(note, err=True)
    sides = sides_meant(runs, past_runs(settings))
    contrast = contrast_of(sides)
    logged, trouble = None, ""
    if page is not None or log:
        from polylens.report.page import render_contrast

        html = render_contrast(contrast)
        if page is not None:
            _write(page, html)
        if log:
            from polylens.cli.progress import open_progress
            from polylens.study.contrast_log import log_contrast

            with open_progress(quiet=as_json) as progress:
                run, trouble = log_contrast(contrast, sides, page=html, settings=settings, progress=progress)
            logged = run.run_id
    if as_json:
        plain = {**contrast.to_plain(), "logged": logged, "page": None if page is None else str(page)}
        click.echo(json.dumps(plain, ensure_ascii=False))
    else:
        show_contrast(contrast, show_all=show_all, page=page, logged=logged)
    if trouble:
        click.echo(f"not in MLflow: the comparison ({trouble})", err=True)
        return NOT_LOGGED
    return 0


def _write(page: Path, html: str) -> None:
    from polylens.errors import UsageError

    try:
        page.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {page}: {error.strerror}") from error
