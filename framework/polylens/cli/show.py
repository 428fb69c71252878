"""`polylens show`: the resolved spec, and where each of its values came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from polylens.spec import Origin, Study


@click.command(short_help="Show a spec with every name looked up.")
@click.argument("spec", type=click.Path(path_type=Path), metavar="SPEC")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one value of the spec."
)
@click.option("--origins", is_flag=True, help="Show where each value came from.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(spec: Path, overrides: tuple[str, ...], origins: bool, as_json: bool) -> None:
    """Show a spec as it is understood: names looked up, defaults filled in, children listed.

    What is printed is a spec again and needs no registry.
    """
    from polylens.spec import load

    study = load(spec, overrides=overrides)
    if as_json:
        click.echo(json.dumps(_record(study), ensure_ascii=False))
    elif origins:
        _show_origins(study.origins())
    else:
        _show_spec(study)


def _show_spec(study: Study) -> None:
    from polylens.reading import write

    if len(study.children) > 1:
        click.echo(f"# {len(study.children)} child runs:")
        for child in study.children:
            click.echo(f"#   {child.name}")
    click.echo(write(study.resolved), nl=False)


def _show_origins(origins: tuple[Origin, ...]) -> None:
    shown = [(f"{origin.path}: {_short(origin.value)}", origin.where) for origin in origins]
    width = max(len(left) for left, _ in shown)
    for left, where in shown:
        click.echo(f"{left:<{width}}  {click.style(where, dim=True)}")


def _short(value: Any, most: int = 48) -> str:
    from polylens.reading.scalars import scalar

    is_text = isinstance(value, str) and scalar(value) == value
    text = value if is_text else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 3] + "..."


def _record(study: Study) -> dict[str, Any]:
    from polylens.spec import spec_digest

    return {
        "name": study.name,
        "resolved": study.resolved,
        "children": [
            {
                "name": child.name,
                "point": dict(child.point),
                "spec_digest": spec_digest(child),
                "resolved": child.experiment.to_plain(),
            }
            for child in study.children
        ],
        "origins": {origin.path: origin.where for origin in study.origins()},
    }
