"""`polylens run`: does what specs ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from polylens.progress import Progress
    from polylens.study.running import StudyResult


@click.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC...")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one value of the spec.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Use at most N examples.")
@click.option("--devices", type=click.IntRange(min=1), default=1, metavar="N", help="Processes, one a device.")
@click.option("--accelerator", default="auto", show_default=True, help="auto, cpu, gpu, ... (Lightning's words).")
@click.option("--precision", default="32-true", show_default=True, help="32-true, bf16-mixed, bf16-true, 16-mixed.")
@click.option("--strategy", default="auto", show_default=True, help="Lightning's strategy, such as ddp.")
@click.option("--num-nodes", type=click.IntRange(min=1), default=1, metavar="N", help="Machines.")
@click.option("--batch-size", type=click.IntRange(min=1), default=64, show_default=True, metavar="N")
@click.option("--workers", type=click.IntRange(min=0), default=0, metavar="N", help="Processes that load examples.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    specs: tuple[Path, ...],
    overrides: tuple[str, ...],
    limit: int | None,
    as_json: bool,
    quiet: bool,
    **flags: str | int,
) -> None:
    """Run specs. The same command again continues where it stopped, or finds everything done."""
    from polylens.cli.progress import open_progress
    from polylens.spec import load

    # All specs are checked before any is run.
    studies = [load(path, overrides=overrides) for path in specs]
    with open_progress(quiet=quiet or as_json) as progress:
        results = [_run(study, flags, limit=limit, progress=progress) for study in studies]
    if as_json:
        runs = [child.to_plain() for result in results for child in result.children]
        click.echo(json.dumps({"runs": runs}, ensure_ascii=False, allow_nan=True))
    else:
        from polylens.cli.summary import show_result

        for result in results:
            show_result(result)
    _leave(results, studies)
