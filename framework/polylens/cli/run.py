"""`polylens run`: does what specs ask for."""

from __future__ import annotations

import json
import traceback as tracebacks
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polylens.errors import UsageError

if TYPE_CHECKING:
    from polylens.devices import Options
    from polylens.progress import Progress
    from polylens.settings import Settings
    from polylens.spec import Study
    from polylens.study.study_results import ChildResult, StudyResult

FAILED, SOME_FAILED, NOT_LOGGED = 1, 3, 4


@click.command(short_help="Run specs.")
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC...")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one value.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Use at most N examples.")
@click.option(
    "--devices", type=int, default=1, show_default=True, metavar="N", help="Processes, one a device."
)
@click.option("--num-nodes", type=int, default=1, show_default=True, metavar="N", help="Machines.")
@click.option("--accelerator", default="auto", show_default=True, help="auto, cpu, gpu, ...; as Lightning.")
@click.option("--strategy", default="auto", show_default=True, help="auto, ddp, ...; as Lightning.")
@click.option("--precision", default="32-true", show_default=True, help="32-true, bf16-mixed, ...")
@click.option("--batch-size", type=int, default=64, show_default=True, metavar="N", help="Examples at once.")
@click.option("--workers", type=int, default=0, show_default=True, metavar="N", help="Loading processes.")
@click.option("--launcher", metavar="NAME", help="Run as jobs: slurm, or local to try it on this machine.")
@click.option("--job", "asked", multiple=True, metavar="KEY=VALUE", help="What jobs ask for: time=02:00:00.")
@click.option("--scratch", is_flag=True, help="Log nothing to MLflow: a try of which no run stays.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    specs: tuple[Path, ...],
    overrides: tuple[str, ...],
    limit: int | None,
    scratch: bool,
    as_json: bool,
    quiet: bool,
    devices: int,
    num_nodes: int,
    accelerator: str,
    strategy: str,
    precision: str,
    batch_size: int,
    workers: int,
    launcher: str | None,
    asked: tuple[str, ...],
) -> int:
    """Do what specs ask for, and log it to MLflow.

    The same command again continues where it was stopped, or finds everything done. All specs are checked
    before any is run. A folder stands for the specs in it; several runs also get one page together.
    With --scratch what was computed stays in the store, and the same command without it logs it at once.
    With --launcher every run is a job, and this command waits for them; interrupted, it leaves those of a
    cluster to go on, and the same command finds them again.
    """
    from polylens.devices import Options
    from polylens.workers.outside import Leader, follow, place_outside

    options = Options(
        devices=devices,
        accelerator=accelerator,
        precision=precision,
        strategy=strategy,
        batch_size=batch_size,
        workers=workers,
        num_nodes=num_nodes,
    )
    place, code = place_outside(), FAILED
    if place is not None and place.rank > 0:
        return follow(place)
    try:
        code = _run_specs(
            specs,
            overrides,
            options=options if place is None else place.settled(options),
            limit=limit,
            scratch=scratch,
            shown=Shown(as_json, quiet),
            jobs=(launcher, asked),
        )
    finally:
        if place is not None:
            Leader(place).leave(code)
    return code


@dataclass(frozen=True)
class Shown:
    """How results are printed, and whether progress is."""

    as_json: bool
    quiet: bool


def _run_specs(
    specs: Sequence[Path],
    overrides: Sequence[str],
    *,
    options: Options,
    limit: int | None,
    scratch: bool,
    shown: Shown,
    jobs: tuple[str | None, Sequence[str]],
) -> int:
    """Does what specs ask for and prints what came of it; gives the exit code."""
    from polylens.cli.progress import open_progress
    from polylens.cli.specs import spec_files
    from polylens.settings import load_settings
    from polylens.spec import load

    files = spec_files(specs)
    studies = [load(path, overrides=overrides) for path in files]
    settings = [replace(load_settings(path), is_scratch=scratch) for path in files]
    from polylens.study.logs import mlflow_experiment
    from polylens.study.running import overview_of

    with open_progress(quiet=shown.quiet or shown.as_json) as progress:
        for note in dict.fromkeys(note for each in settings for note in each.notes):
            progress.note(note)
        results = _results_of(studies, settings, options=options, limit=limit, progress=progress, jobs=jobs)
    by_name = {
        name: result.children for name, result in zip(_names_apart(studies, files), results, strict=True)
    }
    overview = results[0].overview
    if len(results) > 1:
        overview = overview_of(by_name, title=", ".join(dict.fromkeys(map(mlflow_experiment, studies))))
    if shown.as_json:
        printed = {"runs": [child.to_plain() for children in by_name.values() for child in children]}
        click.echo(json.dumps(printed, ensure_ascii=False))
    else:
        _show_results(studies, results, by_name, overview)
    for study, result in zip(studies, results, strict=True):
        _show_failures(study, result.failed)
    for result in results:
        _say_unlogged(result)
    return _exit_code(results)


def _names_apart(studies: Sequence[Study], files: Sequence[Path]) -> list[str]:
    """The specs' names; their files, as they were asked for, where two have one name."""
    names = [study.name for study in studies]
    return names if len(set(names)) == len(names) else [str(file) for file in files]


def _results_of(
    studies: Sequence[Study],
    settings: Sequence[Settings],
    *,
    options: Options,
    limit: int | None,
    progress: Progress,
    jobs: tuple[str | None, Sequence[str]],
) -> list[StudyResult]:
    """What came of each study, walked here or by jobs."""
    launcher, asked = jobs
    if launcher is not None:
        from polylens.jobs import run_by_jobs

        return run_by_jobs(
            studies,
            settings=settings,
            options=options,
            limit=limit,
            launcher=launcher,
            asked=asked,
            progress=progress,
        )
    if asked:
        raise UsageError("--job says what jobs ask for, and none is asked for", hint="give --launcher too")
    from polylens.study.running import run_study

    return [
        run_study(study, settings=each, options=options, progress=progress, limit=limit)
        for study, each in zip(studies, settings, strict=True)
    ]


def _show_results(
    studies: Sequence[Study],
    results: Sequence[StudyResult],
    by_name: Mapping[str, Sequence[ChildResult]],
    overview: Path | None,
) -> None:
    from polylens.cli.summary import show_claims, show_result
    from polylens.errors import shown_path

    for study, result in zip(studies, results, strict=True):
        show_result(result, name=study.name)
    if len(results) > 1:
        show_claims(by_name)
    if overview is not None:
        click.echo(f"All of them on one page: {shown_path(overview)}")


def _show_failures(study: Study, failed: Sequence[ChildResult]) -> None:
    """Says which stage of which child failed, and on which line of the spec it was asked for."""
    from polylens.cli.complaints import show_failure

    for child in failed:
        if child.error is None:
            continue
        path = getattr(child.error, "path", "")
        show_failure(child.name, child.error, place=study.place_of(path) if path else None)
        if click.get_current_context().find_root().meta.get("polylens.traceback"):
            click.echo("".join(tracebacks.format_exception(child.error)), err=True)


def _say_unlogged(result: StudyResult) -> None:
    """Says what MLflow lacks, with --quiet and --json too: else nothing but the exit code would say it."""
    if result.unlogged:
        click.echo(result.unlogged_in_words, err=True)


def _exit_code(results: Sequence[StudyResult]) -> int:
    children = [child for result in results for child in result.children]
    failed = [child for child in children if child.status == "failed"]
    if not failed:
        return NOT_LOGGED if any(result.unlogged for result in results) else 0
    return FAILED if len(failed) == len(children) else SOME_FAILED
