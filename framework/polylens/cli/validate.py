"""`polylens validate`: every mistake in specs and registry entries."""

from __future__ import annotations

import json
from pathlib import Path

import click

from polylens.errors import Problem, SpecError


@click.command(short_help="Find every mistake in specs.")
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC...")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one value of the spec."
)
@click.option(
    "--deep", is_flag=True, help="Also build the networks, without weights, and check layers there."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(specs: tuple[Path, ...], overrides: tuple[str, ...], deep: bool, as_json: bool) -> int:
    """Check specs, and files of a registry, and say everything that is wrong with them.

    Nothing is run or downloaded. Layers are checked where the model can name them from its configuration;
    --deep builds the network to check them all. A folder stands for the files in it.
    """
    from polylens.cli.complaints import problem_record, show_problems
    from polylens.cli.specs import spec_files

    problems: list[Problem] = []
    fine: list[str] = []
    for path in spec_files(specs):
        try:
            fine.append(_checked(path, overrides=overrides, deep=deep))
        except SpecError as error:
            problems.extend(problem for problem in error.problems if problem not in problems)
    if as_json:
        click.echo(
            json.dumps({"errors": [problem_record(problem) for problem in problems]}, ensure_ascii=False)
        )
    else:
        for line in fine:
            click.echo(line)
        if problems:
            show_problems(problems)
    return 2 if problems else 0


def _checked(path: Path, *, overrides: tuple[str, ...], deep: bool) -> str:
    """A line that says what was found to be right."""
    from polylens.plugin import FAMILIES
    from polylens.spec import check_entry, load

    if path.parent.name in FAMILIES and path.resolve().parents[1].name == "registry":
        entry = check_entry(path)
        return f"{path}: fine ({entry.kind})"
    study = load(path, overrides=overrides)
    if deep:
        from polylens.study.checking import check_deep

        check_deep(study)
    count = len(study.children)
    return f"{path}: fine ({count} child runs)" if count > 1 else f"{path}: fine"
