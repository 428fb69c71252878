"""`polylens new`: commented files to start from."""

from __future__ import annotations

import os
from pathlib import Path

import click

from polylens.errors import UsageError, nearest

EXPERIMENT = """\
# One experiment, one claim. `polylens validate FILE` finds every mistake in it; `polylens run FILE` runs it.
about: What is done. Say which settings are the paper's and which are ours.
claim: What is tested. Refuted if ... (say what would refute it).
seed: 0                                # all randomness follows from it

model: digits-mlp                      # a registry name: `polylens ls models` lists them.
# model: {use: digits-mlp, hidden: [32, 32]}   # the same with changes, or written out with `kind:`
layer: hidden.3                        # a layer of the model; also a list, or a pattern such as hidden.?
dataset: digits                        # `polylens ls datasets`

# Which positions of an example become rows; left out where the layer has no positions, as here.
# sampling: {kind: fixed_position, at: center}

# Which units' signs are read; left out where no analysis reads codes.
code: {kind: sign, units: own, positions: same}

# The same walk on changed networks, to compare with; `polylens ls controls`.
controls: [random_init]

# What is computed, by names of your own; `of` refers to one of them. `polylens ls analyses`.
analyses:
  clusters: {kind: hdbscan, on: activation, min_cluster_size: 5}
  quality: {kind: cluster_quality, of: clusters}

# What names the clusters; `polylens ls labels`.
labels:
  digits: {kind: class_enrichment, of: clusters}

# Every combination is a run of its own; runs share what they have in common.
# sweep:
#   layer: [hidden.1, hidden.2, hidden.3]
#   analyses.clusters.min_cluster_size: [5, 10, 20]
"""


@click.command(short_help="Write a commented file to start from.")
@click.argument("target", metavar="FAMILY/NAME | experiment[/NAME]")
@click.option("--kind", help="Which kind a registry entry is made of. Default: the family's first.")
@click.option(
    "--like", metavar="NAME", help="Copy an experiment that polylens ships: `polylens ls experiments`."
)
@click.option("--to", "path", type=click.Path(path_type=Path), help="The file to write.")
@click.option("--print", "only_print", is_flag=True, help="Print the text and write nothing.")
def command(target: str, kind: str | None, like: str | None, path: Path | None, only_print: bool) -> None:
    """Write a commented file that validates as it is, to be changed from there.

    \b
    polylens new experiment/first-try        experiments/first-try.yaml
    polylens new experiment/mine --like digits/mlp-clusters
                                             a copy of what polylens ships
    polylens new sampling/corners --kind grid_positions
                                             registry/sampling/corners.yaml
    """
    head, _, name = target.partition("/")
    is_experiment = head == "experiment"
    if like is not None and (not is_experiment or kind is not None):
        raise UsageError(
            "--like is for experiments", hint="for example polylens new experiment/mine --like ..."
        )
    text = _experiment(like) if is_experiment else _entry(target, kind)
    if only_print:
        click.echo(text, nl=False)
        return
    root = _project()
    folder = root / "experiments" if is_experiment else root / "registry" / head
    file = path or folder / f"{name or 'my-experiment'}.yaml"
    if file.exists():
        raise UsageError(f"{file} is already there", hint="choose another name, or --to FILE")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        _schema_line(file, root, "experiment" if is_experiment else head) + text, encoding="utf-8"
    )
    shown = os.path.relpath(file)
    click.echo(f"wrote {shown}; when it is changed: polylens validate {shown}")


def _experiment(like: str | None) -> str:
    """The commented beginning, or a shipped experiment without its line for editors."""
    if like is None:
        return EXPERIMENT
    from polylens.catalog import shipped_experiments

    known = shipped_experiments()
    if like not in known:
        near = nearest(like, list(known))
        hint = f"did you mean '{near}'? " if near else ""
        raise UsageError(f"polylens ships no experiment '{like}'", hint=f"{hint}there: {', '.join(known)}")
    lines = known[like].read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("# yaml-language-server:"))


def _entry(target: str, kind: str | None) -> str:
    from polylens.catalog import starting_entry
    from polylens.cli.families import no_kind, split_target
    from polylens.plugin import UnknownKindError, kinds

    family, _ = split_target(target)
    try:
        return starting_entry(family, kind or kinds(family)[0])
    except UnknownKindError as error:
        raise no_kind(error) from None


def _project() -> Path:
    """The nearest folder upwards that `mlflow.yaml` marks or that holds `registry/`; else the working one.

    A project inside of another one, such as a folder for one's own work in a copy of polylens, is its own.
    """
    from polylens.catalog import project_registry
    from polylens.settings import load_settings

    here = Path.cwd().resolve()
    settings, registry = load_settings(here), project_registry(here)
    marked = [settings.project] if settings.is_project else []
    found = [*marked, *([] if registry is None else [registry.parent])]
    return max(found, key=lambda folder: len(folder.parts), default=here)


def _schema_line(file: Path, root: Path, name: str) -> str:
    """The line by which editors find the schema, where there is one."""
    schema = root / "registry" / "schema" / f"{name}.schema.json"
    if not schema.is_file():
        return ""
    return f"# yaml-language-server: $schema={Path(os.path.relpath(schema, file.parent)).as_posix()}\n"
