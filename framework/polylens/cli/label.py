"""`polylens label`: sheets on which people label and judge clusters, handed out and taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from polylens.settings import Settings
    from polylens.study.people.said import People

NOT_LOGGED = 4
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="Have people label and judge the clusters of a past run.")
@click.argument("run")
@click.option("--export", "to", type=_FILE, metavar="FILE", help="Write a sheet: .csv or .json.")
@click.option("--import", "back", type=_FILE, metavar="FILE", help="Take a filled sheet back.")
@click.option("--of", "of", metavar="ANALYSIS", help="Whose clusters, where the run has several.")
@click.option("--blind", is_flag=True, help="Export clusters, controls' clusters and random rows, unmarked.")
@click.option(
    "--rows",
    "n_rows",
    type=click.IntRange(2, 100),
    metavar="N",
    default=10,
    show_default=True,
    help="Rows a line.",
)
@click.option(
    "--most",
    type=click.IntRange(1),
    metavar="N",
    default=30,
    show_default=True,
    help="With --blind: lines a side.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    run: str,
    to: Path | None,
    back: Path | None,
    of: str | None,
    blind: bool,
    n_rows: int,
    most: int,
    as_json: bool,
) -> int:
    """Hand out a sheet with one line a cluster of RUN, take it back filled, or show what people said so far.

    RUN is named as `polylens report` takes it. People fill the columns label, verdict (one, several or
    unclear: how many meanings), note, author and date. Every import is a version of its own, kept in the
    store and logged to the run; none replaces another. Without --export and --import what people have said
    so far is shown.

    With --blind the sheet mixes the run's clusters with those of its controls and with sets of random rows,
    and says of none which it is; what its lines stand for is kept in the store.
    """
    from polylens.errors import UsageError
    from polylens.settings import load_settings

    if to is not None and back is not None:
        raise UsageError("--export and --import are two commands: first one, then the other")
    if blind and to is None:
        raise UsageError(
            "--blind goes with --export", hint="an import knows by itself that a sheet was blind"
        )
    settings = load_settings(Path.cwd())
    for note in settings.notes:
        click.echo(note, err=True)
    if to is not None:
        return _export(run, to, settings, of=of, blind=blind, n_rows=n_rows, most=most, as_json=as_json)
    from polylens.study.meant import past_runs

    if back is not None:
        return _import(back, run, settings, of=of, as_json=as_json)
    _show(past_runs(settings).one(run).people(of), as_json=as_json)
    return 0


def _import(file: Path, run: str, settings: Settings, *, of: str | None, as_json: bool) -> int:
    from polylens.cli.progress import open_progress
    from polylens.study.people.taking_back import take_back

    with open_progress(quiet=as_json) as progress:
        taken = take_back(file, run, of=of, settings=settings, progress=progress)
    what = "kept as" if taken.is_new else "says what is known already:"
    click.echo(f"{taken.n_lines} lines of {file.name}, {what} version {taken.version}", err=True)
    _show(taken.people, as_json=as_json)
    if taken.trouble:
        click.echo(f"not in MLflow: what people said ({taken.trouble}); a later run sends it", err=True)
        return NOT_LOGGED
    return 0


def _show(people: People, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(people.to_plain(), ensure_ascii=False))
    else:
        from polylens.cli.people import show_people

        show_people(people)


def _export(
    run: str,
    to: Path,
    settings: Settings,
    *,
    of: str | None,
    blind: bool,
    n_rows: int,
    most: int,
    as_json: bool,
) -> int:
    from polylens.errors import shown_path
    from polylens.study.meant import past_runs
    from polylens.study.people.handing_out import check_ending, hand_out
    from polylens.study.people.sheets import blind_sheet, open_sheet
    from polylens.study.people.subject import PeopleSubject

    check_ending(to)
    subject = PeopleSubject.of_run(past_runs(settings).one(run), of)
    blinded = blind_sheet(subject, n_rows=n_rows, most=most) if blind else None
    handout = blinded or open_sheet(subject, n_rows=n_rows)
    files = hand_out(handout, subject, to=to)
    if as_json:
        plain = {
            "run_id": subject.run.run_id,
            "sheet": handout.sheet.name,
            "lines": len(handout.sheet.lines),
            "left_out": dict(handout.left_out),
            "files": [str(file) for file in files],
        }
        click.echo(json.dumps(plain, ensure_ascii=False))
        return 0
    click.echo(f"{len(handout.sheet.lines)} lines: {', '.join(shown_path(file) for file in files)}")
    for what, count in handout.left_out.items():
        click.echo(f"not on the sheet: {count} {what}", err=True)
    return 0
