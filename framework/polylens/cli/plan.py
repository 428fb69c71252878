"""`polylens plan`: the stages of a spec, what is stored, and why the rest is not."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="Show what a spec would do.")
@click.argument("spec", type=click.Path(path_type=Path), metavar="SPEC")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one value.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Use at most N examples.")
@click.option("--precision", default="32-true", show_default=True, help="As for run.")
@click.option("--why", is_flag=True, help="Say of each missing stage what differs from what is stored.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    spec: Path, overrides: tuple[str, ...], limit: int | None, precision: str, why: bool, as_json: bool
) -> int:
    """Show the stages of a spec, what the store already has, and an estimate of rows, bytes and time.

    Nothing is computed but one forward pass of the untrained network on one example.
    """
    from polylens.devices import Options
    from polylens.settings import load_settings
    from polylens.spec import load

    study = load(spec, overrides=overrides)
    settings = load_settings(spec)
    from polylens.study.outlook import outlook_of

    outlook = outlook_of(study, settings=settings, options=Options(precision=precision), limit=limit)
    if as_json:
        click.echo(json.dumps(outlook.to_plain(), ensure_ascii=False))
        return 0
    from polylens.cli.outlook import show_outlook

    show_outlook(outlook, why=why)
    return 0
