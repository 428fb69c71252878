"""`polylens validate`: every mistake in specs and registry entries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polylens.errors import Problem, SpecError, shown_path

if TYPE_CHECKING:
    from polylens.spec import Study


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

    Nothing is run or downloaded. Layers are checked by the model's configuration or, where that does not name
    them, by its modules; what was not checked is said. --deep builds the network, without weights, and checks
    codes and sampling rules there too. A folder stands for the files in it.
    """
    from polylens.cli.complaints import problem_record, show_problems
    from polylens.cli.specs import spec_files

    problems: list[Problem] = []
    fine: list[str] = []
    for path in spec_files(specs):
        try:
            fine.append(_check(path, overrides=overrides, deep=deep))
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


def _check(path: Path, *, overrides: tuple[str, ...], deep: bool) -> str:
    """A line that says what was found to be right."""
    from polylens.plugin import FAMILIES
    from polylens.spec import WITHOUT_MODULE, check_entry, load

    if path.parent.name in FAMILIES and path.resolve().parents[1].name == "registry":
        entry = check_entry(path)
        return f"{path}: fine ({entry.kind})"
    try:
        study = load(path, overrides=overrides)
    except SpecError as error:
        others = [problem for problem in error.problems if problem.message != WITHOUT_MODULE]
        if others:
            raise SpecError(others) from error
        return f"{path}: fine, as far as it says (the model is given from Python; layers not checked)"
    remarks = []
    if deep:
        from polylens.study.checking import check_deep

        check_deep(study)
    elif any(child.experiment.model.layers() is None for child in study.children):
        from polylens.study.checking import check_layers

        checked = check_layers(study)
        remarks.append(
            "positions and codes not checked, --deep does" if checked else "layers not checked, --deep does"
        )
    remarks += _not_here(study, path)
    count = len(study.children)
    if count > 1:
        remarks.insert(0, f"{count} child runs")
    return f"{path}: fine ({'; '.join(remarks)})" if remarks else f"{path}: fine"


def _not_here(study: Study, path: Path) -> list[str]:
    """Folders and files that the spec names and that are not on this machine; another may have them."""
    from polylens.settings import load_settings

    settings = load_settings(path)
    missing = []
    for child in study.children:
        for part in (child.experiment.dataset, child.experiment.model):
            absent = part.locate(settings.data_root).missing(root=settings.project)
            if absent is not None:
                missing.append(f"not on this machine: {shown_path(absent)}")
    return list(dict.fromkeys(missing))
