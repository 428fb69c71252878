"""`polylens doctor`: whether all is well with the installation, the store and the tracker."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

_PROBLEM = 1
_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command("doctor", short_help="Check this installation, the store and the tracker.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """Look at packages, devices, the store, the tracker and the project, and say what to do.

    Nothing is changed. The exit code is 1 where there is a problem, and 0 where all is well or there are
    warnings only.
    """
    from polylens.settings import load_settings
    from polylens.upkeep.doctor import examine

    checks = []
    for check in examine(load_settings(Path.cwd()), folder=Path.cwd()):
        checks.append(check)
        if as_json:
            continue
        level = click.style(f"{check.level:<8}", fg=_COLOURS[check.level])
        click.echo(f"{level} {check.what:<12} {check.said}")
        if check.todo:
            click.echo(f"{'':<21} {check.todo}")
    levels = [check.level for check in checks]
    if as_json:
        click.echo(json.dumps({"checks": [asdict(check) for check in checks]}, ensure_ascii=False))
    elif set(levels) == {"ok"}:
        click.echo("all is well")
    return _PROBLEM if "problem" in levels else 0
